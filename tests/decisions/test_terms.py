from mkt_models.decisions.terms import terms_of
from mkt_models.terms_params import Term


def answer(**one):
    defaults = {"strategy": "s", "family": "scenario", "personalised": True, "content": {}}
    return {"strategies": [defaults | one]}


def test_items_tell_prices_and_are_no_offer():
    items = [{"product_id": "a", "amount": 2.0}, {"product_id": "b", "price": 4.0, "amount": 9.0}]
    told = terms_of(answer(content={"kind": "items", "items": items}))["s"]
    assert told == {Term.PRICE: (("a", 2.0), ("b", 4.0)), Term.ITEM_PRICES: 3.0}


def test_an_offer_tells_its_coupon_and_what_it_takes_off():
    offer = {"offer_id": "o1", "discount_share": 0.2, "discount_amount": 3, "amount": 8.0}
    told = terms_of(answer(content={"kind": "offer", "offer": offer}))["s"]
    assert told == {
        Term.SHOWN: 1.0,
        Term.COUPON: "o1",
        Term.DISCOUNT: 0.2,
        Term.COUPON_VALUE: 3.0,
    }


def test_what_an_offer_does_not_tell_is_left_out():
    told = terms_of(answer(content={"kind": "offer", "offer": {"offer_id": "o1"}}))["s"]
    assert told == {Term.SHOWN: 1.0, Term.COUPON: "o1"}


def test_a_tier_tells_its_benefits_and_not_how_far_the_next_is():
    tier = {"tier": "gold", "benefits": {"en": "free delivery"}}
    one = terms_of(answer(content={"kind": "tier", "tier": tier | {"amount_to_next": 5.0}}))
    other = terms_of(answer(content={"kind": "tier", "tier": tier | {"amount_to_next": 9.0}}))
    assert one == other
    assert one["s"].keys() == {Term.SHOWN, Term.BENEFITS}


def test_a_service_is_compared_whole():
    told = terms_of(answer(family="personalised_service", content={"kind": "none"}))["s"]
    assert told.keys() == {Term.SHOWN, Term.SERVICE}


def test_what_everybody_gets_is_not_compared():
    assert terms_of(answer(personalised=False)) == {}


def test_services_are_counted_and_a_programme_of_sharing_is_an_offer():
    two = {"kind": "service", "services": [{"service": "a"}, {"service": "b"}]}
    assert terms_of(answer(content=two))["s"][Term.SERVICES] == 2.0
    share = {"kind": "share", "programme": {"programme": "try_it_first"}}
    told = terms_of(answer(content=share))["s"]
    assert told == {Term.SHOWN: 1.0, Term.COUPON: "try_it_first"}


def test_a_piece_of_content_has_no_terms():
    assert terms_of(answer(content={"kind": "piece", "piece": {"id": "soup"}})) == {"s": {}}
