import pytest

from mkt_models.decisions.content_library import FORMATS, Format, Library, PieceChoice

TOPIC = {"id": "pets", "name": {"en": "pets", "zh": "宠物"}}
PIECE = {
    "id": "food",
    "format": "guide",
    "topics": ["pets"],
    "channels": ["app"],
    "title": {"en": "Food", "zh": "粮"},
    "text": {"en": "Mix it.", "zh": "混合。"},
}


def test_a_piece_suits_every_stage_unless_it_says_otherwise():
    (piece,) = Library.model_validate({"topics": [TOPIC], "pieces": [PIECE]}).pieces
    assert len(piece.stages) == 4
    assert Library().pieces == ()


@pytest.mark.parametrize(
    ("topics", "pieces", "message"),
    [
        ([TOPIC], [{**PIECE, "topics": ["pet"]}], "'pet' is not in topics; did you mean 'pets'"),
        ([TOPIC], [PIECE, PIECE], "'food' is taken twice"),
        ([TOPIC, TOPIC], [], "'pets' is taken twice"),
        ([TOPIC], [{**PIECE, "topics": []}], "at least 1 item"),
        ([TOPIC], [{**PIECE, "format": "poem"}], "recipe"),
        ([TOPIC], [{**PIECE, "stages": ["gone"]}], "dormant"),
        ([TOPIC], [{**PIECE, "text": {"en": "Mix it."}}], "zh"),
    ],
)
def test_a_library_that_does_not_hang_together_is_refused(topics, pieces, message):
    with pytest.raises(ValueError, match=message):
        Library.model_validate({"topics": topics, "pieces": pieces})


def test_formats_have_words_in_both_languages():
    assert set(FORMATS) == set(Format)
    assert PieceChoice().formats == tuple(Format)


def test_the_shipped_pieces_are_short_and_whole_in_both_languages(catalogue):
    for piece in catalogue.library.pieces:
        for text, longest in ((piece.title, 60), (piece.text, 200)):
            assert text.en.isascii()
            assert len(text.en) <= longest
            assert 2 <= len(text.zh) <= longest / 2
            assert not set("{}") & set(text.en + text.zh)
        assert piece.categories
        assert all(word == word.upper() for word in piece.categories)


def test_no_topic_is_looked_up_that_is_not_there(catalogue):
    assert catalogue.library.topic("pets").name.zh == "宠物"
    with pytest.raises(KeyError):
        catalogue.library.topic("parenting")
