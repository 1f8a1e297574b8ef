"""Questions that end the process of a real Fabric 2.5.9 peer get an answer here.

So no conversation of the differential suite can ask them.
"""

from __future__ import annotations

import pytest
from harness.onepeer import CHANNEL, OnePeer
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.packages import wrap_code

NO_TEXT = (
    "error in simulation: transaction returned with failure: failed to marshal response: "
    "string field contains invalid UTF-8"
)


@pytest.mark.parametrize("verb", ["deploy", "upgrade"])
async def test_deployment_on_a_channel_nobody_joined_is_refused(peer: OnePeer, verb: str) -> None:
    args = deployment_args(verb, "nowhere", Deployment(name="cc", version="1"))
    _, answer = await peer.propose("lscc", *args, signer=peer.consortium.client)
    assert answer.response.status == 500
    assert answer.response.message == "invalid channel name: nowhere"


@pytest.mark.parametrize("function", ["getid", "getccdata", "getdepspec"])
async def test_question_about_a_name_that_is_no_text_is_refused(
    peer: OnePeer, function: str
) -> None:
    _, answer = await peer.propose("lscc", function, CHANNEL, b"\xff")
    assert (answer.response.status, answer.response.message) == (500, NO_TEXT)


async def test_collections_of_a_name_that_is_no_text_are_refused(peer: OnePeer) -> None:
    _, answer = await peer.propose("lscc", "GetCollectionsConfig", b"\xff")
    assert (answer.response.status, answer.response.message) == (500, NO_TEXT)


async def test_install_of_code_that_is_no_archive_is_refused(peer: OnePeer) -> None:
    raw = wrap_code(name="cc", version="1", language="golang", path="p", code=b"rubbish")
    admin = peer.consortium.admin
    _, answer = await peer.propose("lscc", "install", raw, channel_id="", signer=admin)
    assert answer.response.status == 500
    assert "gzip: invalid header" in answer.response.message
