"""Reasons, strategies and channels in a few words, for tables and alarms in either language."""

from collections.abc import Mapping

from mkt_models.columns import Strategy
from mkt_models.decisions.answer import HOLDOUT, NO_ACTION_TITLE, TREATMENT
from mkt_models.decisions.catalogue import Catalogue
from mkt_models.decisions.words import Code, Words

ARMS: Mapping[str, Words] = {
    HOLDOUT: ("holdout", "对照组"),
    TREATMENT: ("treatment", "触达组"),
}
FAMILIES: Mapping[Strategy, Words] = {
    Strategy.RECOMMENDATION: ("personalised recommendation", "个性化推荐"),
    Strategy.CONTENT: ("personalised content", "个性化内容"),
    Strategy.PROMOTION: ("personalised promotion", "个性化促销"),
    Strategy.SERVICE: ("personalised service", "个性化服务"),
    Strategy.SCENARIO: ("scenario", "场景化营销"),
    Strategy.MEMBERSHIP: ("membership tier", "会员等级"),
    Strategy.CONTENT_MARKETING: ("content marketing", "内容营销"),
    Strategy.SOCIAL_MARKETING: ("social marketing", "社交营销"),
    Strategy.NO_ACTION: NO_ACTION_TITLE,
}
CODES: Mapping[Code, Words] = {
    Code.CHANNEL_NOT_ASKED: ("another channel was asked for", "未请求该渠道"),
    Code.PROFILE_STALE: ("profile stale", "画像已失效"),
    Code.NOT_ELIGIBLE: ("not eligible", "不符合条件"),
    Code.NOT_AVAILABLE: ("data not available", "条件数据缺失"),
    Code.NOT_THE_OCCASION: ("not the occasion", "不属于适用场合"),
    Code.CONTEXT_NOT_GIVEN: ("context not given", "未提供上下文"),
    Code.NO_CONTENT: ("nothing to show", "没有可展示的内容"),
    Code.OFFER_NOT_RUNNING: ("offer not running", "优惠不在有效期内"),
    Code.OFFER_NOT_OPEN: ("offer not open to the customer", "不满足优惠条件"),
    Code.OFFER_SUITS_LESS: ("another offer suits better", "另有更合适的优惠"),
    Code.CONSENT_UNKNOWN: ("no consent on record", "没有同意记录"),
    Code.CONSENT_REFUSED: ("consent refused", "客户拒绝"),
    Code.CONSENT_EXPIRED: ("consent expired", "同意已到期"),
    Code.QUIET_HOURS: ("quiet hours", "免打扰时段"),
    Code.QUIET_DAY: ("quiet day", "免打扰日"),
    Code.COMPLAINT: ("after a complaint", "投诉后暂停触达"),
    Code.MIN_GAP: ("too soon after another contact", "距上次触达过近"),
    Code.CAP_CUSTOMER: ("cap of the customer", "客户触达上限"),
    Code.CAP_CHANNEL: ("cap of the channel", "渠道触达上限"),
    Code.CAP_STRATEGY: ("cap of the strategy", "策略触达上限"),
    Code.MODEL_NOT_RELEASED: ("model not released", "模型未放行"),
    Code.TERMS_NOT_PASSED: ("review of equal terms not passed", "同等条件审查未通过"),
    Code.SCORE_NOT_AVAILABLE: ("score not available", "没有评分"),
    Code.WORTH_NOT_POSITIVE: ("not worth more than no action", "价值不高于不采取行动"),
    Code.FATIGUE: ("fatigue", "触达疲劳"),
    Code.BUDGET_PRICE: ("price of a budget", "不足以抵偿预算影子价格"),
    Code.BUDGET_SPENT: ("budget spent", "预算已用完"),
    Code.HOLDOUT: ("holdout", "对照组"),
    Code.FAMILY_SERVED: ("another of its family is served", "同类策略已展示"),
    Code.BEYOND_K: ("beyond the number asked for", "超出请求的数量"),
    Code.DEFAULT_NOT_NEEDED: ("default not needed", "无需通用默认内容"),
    Code.OUTRANKED: ("outranked", "有价值更高的选择"),
}


def strategy_names(catalogue: Catalogue) -> dict[str, Words]:
    """What each strategy of a catalogue is called: its family; where not alone in it, with its id.

    ``no_action`` is among them.
    """
    families = [entry.family for entry in catalogue.strategies]
    found = {Strategy.NO_ACTION.value: NO_ACTION_TITLE}
    for entry in catalogue.strategies:
        en, zh = FAMILIES[entry.family]
        alone = families.count(entry.family) == 1
        found[entry.id] = (en, zh) if alone else (f"{en} ({entry.id})", f"{zh}（{entry.id}）")
    return found


def arms_in_chinese(text: str) -> str:
    """A Chinese text about an experiment, with the arms of the holdout by their names.

    >>> arms_in_chinese("holdout 组 12，treatment 组 88")
    '对照组 12，触达组 88'
    """
    for arm, (_, zh) in ARMS.items():
        text = text.replace(f"{arm} 组", zh)
    return text
