"""Why a candidate is not served: stable codes, and the same in words, English and Chinese.

Programs look at the code; people read the words. A code, once published, keeps its meaning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mkt_models.columns import Channel

Words = tuple[str, str]
"""The same thing said twice: English, Chinese."""


class Code(StrEnum):
    """Why a candidate was not served."""

    CHANNEL_NOT_ASKED = "channel_not_asked"
    PROFILE_STALE = "profile_stale"
    NOT_ELIGIBLE = "not_eligible"
    NOT_AVAILABLE = "not_available"
    NOT_THE_OCCASION = "not_the_occasion"
    CONTEXT_NOT_GIVEN = "context_not_given"
    NO_CONTENT = "no_content"
    OFFER_NOT_RUNNING = "offer_not_running"
    OFFER_NOT_OPEN = "offer_not_open"
    OFFER_SUITS_LESS = "offer_suits_less"
    CONSENT_UNKNOWN = "consent_unknown"
    CONSENT_REFUSED = "consent_refused"
    CONSENT_EXPIRED = "consent_expired"
    QUIET_HOURS = "quiet_hours"
    QUIET_DAY = "quiet_day"
    COMPLAINT = "complaint"
    MIN_GAP = "min_gap"
    CAP_CUSTOMER = "cap_customer"
    CAP_CHANNEL = "cap_channel"
    CAP_STRATEGY = "cap_strategy"
    MODEL_NOT_RELEASED = "model_not_released"
    TERMS_NOT_PASSED = "terms_not_passed"
    SCORE_NOT_AVAILABLE = "score_not_available"
    WORTH_NOT_POSITIVE = "worth_not_positive"
    FATIGUE = "fatigue"
    BUDGET_PRICE = "budget_price"
    BUDGET_SPENT = "budget_spent"
    HOLDOUT = "holdout"
    FAMILY_SERVED = "family_served"
    BEYOND_K = "beyond_k"
    DEFAULT_NOT_NEEDED = "default_not_needed"
    OUTRANKED = "outranked"


# Why a candidate was left out, from what somebody may act on to what is in the nature of things.
TELLING = (
    Code.PROFILE_STALE,
    Code.MODEL_NOT_RELEASED,
    Code.TERMS_NOT_PASSED,
    Code.HOLDOUT,
    Code.CONSENT_REFUSED,
    Code.CONSENT_EXPIRED,
    Code.CONSENT_UNKNOWN,
    Code.CAP_CUSTOMER,
    Code.CAP_CHANNEL,
    Code.CAP_STRATEGY,
    Code.MIN_GAP,
    Code.COMPLAINT,
    Code.QUIET_DAY,
    Code.QUIET_HOURS,
    Code.BUDGET_SPENT,
    Code.BUDGET_PRICE,
    Code.FATIGUE,
    Code.WORTH_NOT_POSITIVE,
    Code.OFFER_NOT_RUNNING,
    Code.SCORE_NOT_AVAILABLE,
    Code.CONTEXT_NOT_GIVEN,
    Code.NOT_ELIGIBLE,
    Code.NOT_AVAILABLE,
    Code.OFFER_NOT_OPEN,
    Code.NO_CONTENT,
    Code.NOT_THE_OCCASION,
    Code.OFFER_SUITS_LESS,
    Code.BEYOND_K,
    Code.FAMILY_SERVED,
    Code.CHANNEL_NOT_ASKED,
    Code.DEFAULT_NOT_NEEDED,
    Code.OUTRANKED,
)

PHRASES: Mapping[Code, Words] = {
    Code.CHANNEL_NOT_ASKED: (
        "only {asked} was asked for, this goes over {channel}",
        "本次仅请求{asked}渠道，此候选使用{channel}",
    ),
    Code.PROFILE_STALE: (
        "the profile of {as_of} is stale: not from the {most} days up to {day}",
        "客户画像已失效：画像日期为 {as_of}，不在 {day} 之前 {most} 天的有效期内",
    ),
    Code.NOT_ELIGIBLE: (
        "not eligible: {column} is {value}, must be {op} {wanted}",
        "不符合条件：{column}为 {value}，要求 {op} {wanted}",
    ),
    Code.NOT_AVAILABLE: (
        "not eligible: {column} is not available",
        "不符合条件：{column}没有数据",
    ),
    Code.NOT_THE_OCCASION: (
        "{day} is not the occasion: {wanted}",
        "{day} 不属于适用场合：{wanted}",
    ),
    Code.CONTEXT_NOT_GIVEN: (
        "needs {what}: the context of the request does not say it",
        "需要{what}：请求的上下文中没有提供",
    ),
    Code.NO_CONTENT: (
        "nothing to show: no {content} for this customer",
        "没有可展示的内容：该客户暂无{content}",
    ),
    Code.OFFER_NOT_RUNNING: (
        "the offer runs from {starts_on} to {ends_on}, not on {day}",
        "该优惠有效期为 {starts_on} 至 {ends_on}，{day} 不在有效期内",
    ),
    Code.OFFER_NOT_OPEN: (
        "the offer is open to all who qualify, and this customer does not: {why}",
        "该优惠面向所有符合条件的客户，而该客户不符合：{why}",
    ),
    Code.OFFER_SUITS_LESS: (
        "open to this customer too, but {better} suits better",
        "该客户同样可以享受，但“{better}”更合适",
    ),
    Code.CONSENT_UNKNOWN: (
        "no consent on record for {purpose} over {channel}: counts as refused",
        "没有{channel}渠道“{purpose}”用途的同意记录：视为拒绝",
    ),
    Code.CONSENT_REFUSED: (
        "the customer said no to {purpose} over {channel} on {day}",
        "客户已于 {day} 拒绝或撤回{channel}渠道的“{purpose}”用途",
    ),
    Code.CONSENT_EXPIRED: (
        "the consent to {purpose} over {channel} expired on {day}",
        "{channel}渠道“{purpose}”用途的同意已于 {day} 到期",
    ),
    Code.QUIET_HOURS: (
        "quiet hours from {start} to {end}: it is {local} where the customer is",
        "免打扰时段 {start} 至 {end}：客户所在地时间为 {local}",
    ),
    Code.QUIET_DAY: (
        "nobody is contacted on this day: {day}",
        "今天不做主动触达：{day}",
    ),
    Code.COMPLAINT: (
        "the customer complained on {day}: no contact for {days} days",
        "客户于 {day} 投诉：{days} 天内不做主动触达",
    ),
    Code.MIN_GAP: (
        "less than {hours} hours from another contact at {sent_at}",
        "距另一次触达({sent_at})不足 {hours} 小时",
    ),
    Code.CAP_CUSTOMER: (
        "{n} contacts within {days} days: the most for a customer is {most}",
        "{days} 天内已触达 {n} 次：每位客户上限为 {most} 次",
    ),
    Code.CAP_CHANNEL: (
        "{n} times over {channel} within {days} days: the most is {most}",
        "{days} 天内{channel}渠道已有 {n} 次：上限为 {most} 次",
    ),
    Code.CAP_STRATEGY: (
        "{n} times this strategy within {days} days: the most is {most}",
        "{days} 天内该策略已有 {n} 次：上限为 {most} 次",
    ),
    Code.MODEL_NOT_RELEASED: (
        "the {model} model is not released: its review says {verdict}",
        "{model}模型未放行：评审结论为{verdict}",
    ),
    Code.TERMS_NOT_PASSED: (
        "not served: the review of equal terms for like customers says {verdict}",
        "暂不提供：“同等客户同等条件”审查结论为{verdict}",
    ),
    Code.SCORE_NOT_AVAILABLE: (
        "the {model} score of this customer is not available",
        "该客户没有{model}评分",
    ),
    Code.WORTH_NOT_POSITIVE: (
        "worth {worth}, not more than doing nothing",
        "价值为 {worth}，不高于不采取行动",
    ),
    Code.FATIGUE: (
        "{n} contacts over {channel} in the last {days} days leave {left} of its response, and "
        "{worth} of its worth of {before}: not more than doing nothing",
        "近 {days} 天内经{channel}触达 {n} 次，响应剩余 {left}，价值由 {before} 降为 {worth}，"
        "不高于不采取行动",
    ),
    Code.BUDGET_PRICE: (
        "its worth of {worth} does not cover the price of the budget {budget}: {price}, which "
        "others are worth more for",
        "其价值 {worth} 不足以抵偿预算“{budget}”的影子价格 {price}：该预算用于其他客户价值更高",
    ),
    Code.BUDGET_SPENT: (
        "the budget {budget} is spent: of its {amount} before {until}, less is left than the {use} "
        "that this takes",
        "预算“{budget}”已用完：{until} 之前的总额度为 {amount}，剩余不足此候选所需的 {use}",
    ),
    Code.HOLDOUT: (
        "the customer is in the holdout: withheld at random from all contact, to measure effects",
        "客户属于随机对照组：为衡量效果，不做任何触达",
    ),
    Code.FAMILY_SERVED: (
        "{better} is worth more and one of a family is enough",
        "同类策略中 {better} 价值更高，每类只展示一个",
    ),
    Code.BEYOND_K: (
        "{k} strategies were asked for, and others are worth more",
        "请求了 {k} 个策略，其他策略价值更高",
    ),
    Code.DEFAULT_NOT_NEEDED: (
        "the default for everybody is for when nothing better can be served",
        "通用默认内容仅在没有更合适的策略时展示",
    ),
    Code.OUTRANKED: (
        "a strategy is worth more than doing nothing",
        "有策略的价值高于不采取行动",
    ),
}

CHANNELS: Mapping[Channel, Words] = {
    Channel.APP: ("the app", "应用内"),
    Channel.EMAIL: ("email", "电子邮件"),
    Channel.MAIL: ("mail", "邮寄信件"),
    Channel.SMS: ("text message", "短信"),
    Channel.STORE: ("the store", "门店"),
}

MODELS: Mapping[str, Words] = {
    "churn": ("churn", "流失"),
    "value": ("value", "价值"),
    "propensity": ("propensity", "响应倾向"),
    "recommender": ("recommender", "推荐"),
}

VERDICTS: Mapping[str, Words] = {
    "pass": ("pass", "通过"),
    "fail": ("fail", "未通过"),
    "not_evaluated": ("not evaluated", "未评估"),
}

KINDS: Mapping[str, Words] = {
    "observed": ("observed", "观测值"),
    "predicted": ("predicted", "预测值"),
    "backtested": ("backtested", "回测"),
    "off_policy": ("off policy", "离线策略评估"),
    "randomised": ("randomised", "随机实验"),
    "propensity_weighted": ("propensity weighted", "按倾向概率加权"),
    "assumed": ("assumed", "假设值"),
}
"""Where a number comes from, for people; the keys are those of ``columns.NumberKind``."""

NOTE: Words = (
    "The kind of a worth says where it comes from: propensity-weighted is not an effect measured "
    "by an experiment, randomised rests on one, and assumed stands where nothing is predicted; "
    "margin rates, credited shares and costs are assumptions of the catalogue.",
    "价值的类型说明其来源：按倾向概率加权(propensity-weighted)并非实验测得的效果，"
    "随机实验(randomised)则以实验为依据，没有预测时为假设值(assumed)；"
    "毛利率、归因比例和成本均为策略目录中的假设。",
)

ARMS: Words = (
    "Assigned once, by a salted hash of the customer id: {share} of customers are held out of all "
    "contact, to measure effects.",
    "按加盐的客户编号哈希一次性分组：{share} 的客户作为对照组，不做任何触达，用于衡量效果。",
)
EXPLOITING: Words = (
    " Within an arm nothing is random: the same question has the same answer, so each action "
    "served was chosen with probability 1.",
    "组内没有随机性：相同的提问得到相同的回答，因此所展示的每个动作被选中的概率均为 1。",
)
EXPLORING: Words = (
    " Within an arm, which of the permitted actions comes first is drawn, with the probability "
    "that is told; the same question has the same draw.",
    "组内由抽签决定哪一个获准的动作排在首位，其概率随回答给出；相同的提问得到相同的结果。",
)

_SYMBOLS = {"USD": "$", "CNY": "¥", "EUR": "€", "GBP": "£"}


@dataclass(frozen=True, slots=True)
class Reason:
    """A code and its words."""

    code: Code
    en: str
    zh: str


def reason(code: Code, **parts: object) -> Reason:
    """Fill the phrase of ``code``; a part is text, or a pair English, Chinese.

    >>> reason(Code.BEYOND_K, k=3).en
    '3 strategies were asked for, and others are worth more'
    """
    en, zh = PHRASES[code]
    if not any(isinstance(part, tuple) for part in parts.values()):
        return Reason(code, en.format(**parts), zh.format(**parts))
    return Reason(code, en.format(**_side(parts, 0)), zh.format(**_side(parts, 1)))


def money(amount: float, currency: str) -> str:
    """Write an amount for people.

    >>> money(1234.5, "USD"), money(3, "CHF")
    ('$1,234.50', 'CHF 3.00')
    """
    symbol = _SYMBOLS.get(currency, f"{currency} ")
    return f"{symbol}{amount:,.2f}"


def _side(parts: Mapping[str, object], side: int) -> dict[str, object]:
    return {key: part[side] if isinstance(part, tuple) else part for key, part in parts.items()}
