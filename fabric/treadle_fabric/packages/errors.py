"""The one error of this package."""


class PackageFormatError(Exception):
    """A package or a source folder that cannot be used; the text names file and rule.

    Where Fabric has a text for the case, it is Fabric's.
    """
