"""Hashes of files and of what is decided: order does not matter, everything else does."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from toy_models import RELEASED

from mkt_models.models.card import Standing
from mkt_models.models.signature import digest, sealed, signature_of

DIGESTS = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.binary(max_size=4).map(digest))


@settings(deadline=None)
@given(one=DIGESTS, other=DIGESTS)
def test_signatures_are_equal_only_for_equal_files(one: dict, other: dict) -> None:
    assert signature_of(dict(reversed(one.items()))) == signature_of(one)
    assert (signature_of(one) == signature_of(other)) == (one == other)


def test_a_seal_ties_a_standing_to_one_model() -> None:
    first, second = (json.loads(sealed(RELEASED, name * 64)) for name in "ab")
    assert first["standing"] == second["standing"]
    assert first["sha256"] != second["sha256"]
    candidate = json.loads(sealed(Standing(), "a" * 64))
    assert candidate["sha256"] != first["sha256"]
