"""The programs that run in chaincode pods from the peer's image: ``treadle-pod`` (docs/images.md).

``package`` and ``store`` stand before and after the build, ``output`` before the chaincode, and
``bridge`` beside one that cannot dial its peer. What they write and run is ``chaincode.recipes``.
"""
