"""The vocabulary: names of tables and columns, and the values that a column may take.

Every other module takes its column names from here, so that a name has one spelling. Amounts are
integer **cents** of the shop's currency in every table up to the profile (sums of integers are the
same on every engine); profiles, scores and decisions show them in whole currency units.
"""

from enum import StrEnum

# --- keys -----------------------------------------------------------------------------------
CUSTOMER_ID = "customer_id"
ORDER_ID = "order_id"
PRODUCT_ID = "product_id"
STORE_ID = "store_id"
CAMPAIGN_ID = "campaign_id"
OFFER_ID = "offer_id"
AS_OF = "as_of"

# --- sensitive attributes: never a feature, never an eligibility rule, unless params allow it ---
SENSITIVE = (
    "birth_year",
    "age_band",
    "income_band",
    "marital_status",
    "gender",
    "occupation",
    "education",
    "household_composition",
    "household_size",
    "children",
    "home_ownership",
    "religion",
    "ethnicity",
    "region",
)


class Table(StrEnum):
    """The canonical tables that a source may yield; a missing table is absent, never invented."""

    CUSTOMERS = "customers"
    IDENTITIES = "identities"
    PRODUCTS = "products"
    TRANSACTIONS = "transactions"
    EVENTS = "events"
    SOCIAL = "social"
    TICKETS = "tickets"
    CAMPAIGNS = "campaigns"
    OFFERS = "offers"
    EXPOSURES = "exposures"
    OUTCOMES = "outcomes"
    CONSENTS = "consents"


class Dimension(StrEnum):
    """The eight dimensions of a profile."""

    BASICS = "basics"
    BEHAVIOUR = "behaviour"
    HABIT = "habit"
    INTERESTS = "interests"
    SOCIAL = "social"
    LIFECYCLE = "lifecycle"
    VALUE = "value"
    RISK = "risk"


# Which column of a profile tells of which dimension, in the order of the customer's page.
PROFILE_DIMENSIONS: dict[Dimension, tuple[str, ...]] = {
    Dimension.BASICS: (
        "age_band",
        "gender",
        "region",
        "occupation",
        "income_band",
        "education",
        "marital_status",
        "household_size",
        "household_composition",
        "children",
        "home_ownership",
    ),
    Dimension.BEHAVIOUR: (
        "sessions_90d",
        "views_90d",
        "searches_90d",
        "clicks_90d",
        "carts_90d",
        "favourites_90d",
        "shares_90d",
        "reviews_90d",
        "mean_rating",
        "dwell_seconds",
        "days_since_last_visit",
        "view_to_buy_share",
        "cart_abandonment",
        "views_per_order",
        "preferred_device",
        "browsing_day_part",
        "preferred_day_part",
        "weekend_share",
        "night_share",
        "stores_90d",
        "main_store",
        "categories_90d",
        "tickets_365d",
        "delivery_tickets_365d",
        "quality_tickets_365d",
        "open_tickets",
        "ticket_satisfaction",
        "behaviour_tags",
    ),
    Dimension.HABIT: (
        "orders_28d",
        "orders_90d",
        "orders_365d",
        "amount_28d",
        "amount_90d",
        "amount_365d",
        "mean_order_amount",
        "largest_order_90d",
        "items_per_order",
        "days_between_orders",
        "discount_share",
        "coupon_share",
        "private_label_share",
        "days_view_to_buy",
        "payment_method",
        "purchase_channel",
        "spending_habit",
    ),
    Dimension.INTERESTS: (
        "top_categories",
        "top_brands",
        "top_products",
        "liked_categories",
        "followed_topics",
        "campaigns_90d",
        "redemptions_90d",
        "answered_campaigns",
        "interest_tags",
    ),
    Dimension.SOCIAL: (
        "platforms",
        "main_platform",
        "social_actions_90d",
        "posts_90d",
        "likes_90d",
        "comments_90d",
        "reposts_90d",
        "follows_90d",
        "days_since_last_social",
        "followers",
        "contacts_365d",
        "influence",
        "social_tags",
    ),
    Dimension.LIFECYCLE: (
        "days_since_registration",
        "tenure_days",
        "days_since_last_order",
        "usual_gap_days",
        "silence",
        "lifecycle_stage",
    ),
    Dimension.VALUE: (
        "value_amount",
        "value_percentile",
        "value_tier",
        "price_index",
        "purchasing_power",
    ),
    Dimension.RISK: (
        "return_share_365d",
        "unmatched_returns_365d",
        "coupon_share_365d",
        "failed_orders_365d",
        "cancelled_orders_365d",
        "accounts",
        "risk_points",
        "risk_signals",
        "risk_tier",
    ),
}


class LifecycleStage(StrEnum):
    """Where a customer stands; exactly one at a time."""

    NEW = "new"
    ACTIVE = "active"
    DORMANT = "dormant"
    LOST = "lost"


class Shelf(StrEnum):
    """Why a product is recommended: bought before, popular, or new and alike what is bought."""

    BUY_AGAIN = "buy_again"
    POPULAR = "popular"
    DISCOVER = "discover"


class Tier(StrEnum):
    """A rank in three steps, for value and for risk."""

    HIGH = "high"
    MIDDLE = "middle"
    LOW = "low"


class Habit(StrEnum):
    """How a customer spends: 剁手党, 精打细算族, 理性消费者."""

    IMPULSE = "impulse_buyer"
    CAREFUL = "careful_spender"
    RATIONAL = "rational_consumer"


class PurchasingPower(StrEnum):
    """What a customer can spend: 高净值人群, 中产阶级, 普通消费者."""

    AFFLUENT = "affluent"
    MIDDLE_CLASS = "middle_class"
    ORDINARY = "ordinary"


class Strategy(StrEnum):
    """The eight families of strategy, and doing nothing."""

    RECOMMENDATION = "personalised_recommendation"
    CONTENT = "personalised_content"
    PROMOTION = "personalised_promotion"
    SERVICE = "personalised_service"
    SCENARIO = "scenario"
    MEMBERSHIP = "membership_tier"
    CONTENT_MARKETING = "content_marketing"
    SOCIAL_MARKETING = "social_marketing"
    NO_ACTION = "no_action"


class Channel(StrEnum):
    """Where a customer can be reached."""

    APP = "app"
    EMAIL = "email"
    MAIL = "mail"
    SMS = "sms"
    STORE = "store"


class Weather(StrEnum):
    """What the weather is where the customer is, as the caller says."""

    CLEAR = "clear"
    CLOUDY = "cloudy"
    RAIN = "rain"
    SNOW = "snow"
    HEAT = "heat"
    COLD = "cold"
    WIND = "wind"
    FOG = "fog"


class Place(StrEnum):
    """Where the customer is, as the caller says."""

    HOME = "home"
    WORK = "work"
    STORE = "store"
    TRAVELLING = "travelling"


class DayPart(StrEnum):
    """A quarter of the day by the local clock: from 0, 6, 12 and 18 o'clock."""

    NIGHT = "night"
    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


class ConsentStatus(StrEnum):
    """What a customer said about a purpose and a channel; no record means refused."""

    GRANTED = "granted"
    REFUSED = "refused"
    REVOKED = "revoked"


class Model(StrEnum):
    """The trained models: what an audit releases, or not."""

    CHURN = "churn"
    VALUE = "value"
    PROPENSITY = "propensity"
    RECOMMENDER = "recommender"


# The models that have a scorer in the model store; the recommender's scores come with its items.
SCORING_MODELS = (Model.CHURN, Model.VALUE, Model.PROPENSITY)


class Verdict(StrEnum):
    """The answer of a gate; only PASS releases."""

    PASS = "pass"
    FAIL = "fail"
    NOT_EVALUATED = "not_evaluated"


class ModelStatus(StrEnum):
    """Where a version of a model stands; only RELEASED is served."""

    CANDIDATE = "candidate"  # trained and kept, not judged yet
    RELEASED = "released"  # the champion: at most one per model
    RETIRED = "retired"  # a champion that was replaced, or cannot go on
    REFUSED = "refused"  # judged, and not better than the champion, or not fit


class NumberKind(StrEnum):
    """Where a number comes from; no number is shown without it."""

    OBSERVED = "observed"
    PREDICTED = "predicted"
    BACKTESTED = "backtested"
    OFF_POLICY = "off_policy"
    RANDOMISED = "randomised"
    PROPENSITY_WEIGHTED = "propensity_weighted"
    ASSUMED = "assumed"
    SIMULATED = "simulated"


class FatigueState(StrEnum):
    """What is known of the decay of responses over a channel; without SHOWN or ASSUMED it is 0."""

    SHOWN = "shown"  # its interval excludes no fatigue
    NOT_SHOWN = "not_shown"
    NOT_EVALUATED = "not_evaluated"
    ASSUMED = "assumed"  # by a parameter, because it could not be evaluated


NOT_AVAILABLE = "not available"
