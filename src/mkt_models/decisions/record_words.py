"""What is on record about a decision, in words: contacts, outcomes and consents, row by row."""

from collections.abc import Mapping
from typing import Any

from mkt_models.columns import Channel
from mkt_models.decisions.consent import PURPOSES
from mkt_models.decisions.words import CHANNELS, Words

STATUSES: Mapping[str, Words] = {
    "planned": ("planned", "已计划"),
    "sending": ("about to be sent", "即将发送"),
    "sent": ("sent", "已发送"),
    "not_sent": ("not sent", "未发送"),
    "withdrawn": ("withdrawn before it was sent", "发送前已撤回"),
    "recalled": ("withdrawn when somebody had begun to send it", "开始发送后撤回"),
    "granted": ("agreed", "同意"),
    "refused": ("refused", "拒绝"),
    "revoked": ("took the consent back", "撤回同意"),
}
OUTCOMES: Mapping[str, Words] = {
    "view": ("looked at it", "浏览"),
    "click": ("clicked", "点击"),
    "purchase": ("bought", "购买"),
    "redemption": ("redeemed the offer", "核销优惠"),
    "share": ("shared it", "分享"),
    "complaint": ("complained", "投诉"),
}


def in_words(row: Mapping[str, Any], purposes: Mapping[str, Words] = PURPOSES) -> dict[str, str]:
    """A contact, an outcome or a consent in a sentence, English and Chinese.

    >>> in_words({"purpose": "marketing", "channel": "sms", "status": "withdrawn"})["en"]
    'marketing over text message: withdrawn before it was sent'
    """
    if "kind" in row:
        kind = str(row["kind"])
        en, zh = OUTCOMES.get(kind, (kind, kind))
        return {"en": f"the customer {en}", "zh": f"客户{zh}"}
    name, status = row.get("purpose"), str(row["status"])
    purpose = ("a contact", "触达") if name is None else purposes.get(name, (name, name))
    channel = CHANNELS[Channel(row["channel"])] if row["channel"] in set(Channel) else None
    over = channel or (str(row["channel"]),) * 2
    what = STATUSES.get(status, (status, status))
    return {
        "en": f"{purpose[0]} over {over[0]}: {what[0]}",
        "zh": f"{over[1]}渠道“{purpose[1]}”：{what[1]}",
    }
