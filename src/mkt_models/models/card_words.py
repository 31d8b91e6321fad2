"""What a card says in words: the question of a model, what it is for and not for, its limits."""

from collections.abc import Mapping

from mkt_models.columns import Model
from mkt_models.models.card import Question, Words
from mkt_models.params import Params

INTENDED: Mapping[Model, tuple[Words, ...]] = {
    Model.CHURN: (
        Words(
            en="rank customers with a recent order by the risk that they stop, to choose whom to "
            "keep in touch with, within consent and contact policy",
            zh="对近期有订单的客户按流失风险排序，在授权与触达规则内决定与谁保持联系",
        ),
    ),
    Model.VALUE: (
        Words(
            en="expect the spend of customers with a recent order, to plan budgets by sums and to "
            "weigh what a contact is worth",
            zh="预计近期有订单客户的消费额，用于按总额编制预算、权衡一次触达的价值",
        ),
    ),
    Model.PROPENSITY: (
        Words(
            en="expect who redeems a coupon of a campaign that reaches them, to choose among "
            "offers",
            zh="预计收到活动的客户中谁会核销优惠券，用于在多个优惠之间选择",
        ),
    ),
}

_NEVER = Words(
    en="prices or terms for a single customer, credit, employment, insurance, or any other "
    "decision with legal effect",
    zh="对个别客户差别定价或设定交易条件、授信、雇佣、保险，或任何具有法律效力的决定",
)
_NOT_CAUSAL = Words(
    en="the effect of a contact: nobody was assigned at random, so it predicts and explains no "
    "cause",
    zh="衡量触达的效果：样本并非随机分配，模型只作预测，不说明因果",
)
NOT_INTENDED: Mapping[Model, tuple[Words, ...]] = {
    Model.CHURN: (
        _NEVER,
        _NOT_CAUSAL,
        Words(
            en="customers without a recent order: it has seen none",
            zh="近期没有订单的客户：训练样本中没有这类客户",
        ),
    ),
    Model.VALUE: (
        _NEVER,
        _NOT_CAUSAL,
        Words(
            en="the spend of one customer as a promise: single errors are large, sums are near",
            zh="把单个客户的预计消费当作承诺：个体误差大，总额较准",
        ),
    ),
    Model.PROPENSITY: (
        _NEVER,
        _NOT_CAUSAL,
        Words(
            en="customers whom a campaign did not reach, and campaigns of another kind",
            zh="未收到活动的客户，以及其他类型的活动",
        ),
    ),
}

LIMITS: tuple[Words, ...] = (
    Words(
        en="every figure is backtested on the test dates of one source; another shop, or a year "
        "unlike these, may differ",
        zh="所有指标均来自单一数据源在测试日期上的回测；换一家店或年景不同，结果可能不同",
    ),
    Words(
        en="the version that is kept was trained on all dates; its figures are those of the same "
        "recipe, trained on what was known before each test date",
        zh="保存的版本用全部日期训练；所列指标是同一方法仅用各测试日之前已知数据训练所得",
    ),
    Words(
        en="groups whose attribute is unknown, or that are too small, are not compared",
        zh="属性未知或人数过少的群体未作比较",
    ),
    Words(
        en="intervals hold the chance of which customers were drawn, not that of the dates",
        zh="区间只反映抽到哪些客户的偶然性，不反映日期的偶然性",
    ),
)


def question_of(model: Model, params: Params) -> Question:
    """What a model predicts in a run with these parameters."""
    if model is Model.CHURN:
        days = params.churn.horizon_days
        return Question(
            en=f"probability of no order in the next {days} days",
            zh=f"未来{days}天内不下单的概率",
            unit="probability",
            horizon_days=days,
            active_days=params.churn.active_days,
        )
    if model is Model.VALUE:
        days = params.value.horizon_days
        return Question(
            en=f"expected spend in the next {days} days",
            zh=f"未来{days}天的预计消费额",
            unit=params.source.currency,
            horizon_days=days,
            active_days=params.value.active_days,
        )
    return Question(
        en="probability of redeeming an offer of the campaign, if it is sent",
        zh="若发送该活动，核销优惠的概率",
        unit="probability",
    )
