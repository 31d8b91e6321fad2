"""What to do about an alarm, in English and Chinese: by whom, in which order, and when to stop."""

from mkt_models.monitoring.alarms import Words
from mkt_models.monitoring_params import Rule

ADVICE: dict[Rule, Words] = {
    Rule.FEATURE_DRIFT: (
        "First rule out the data: was a table delivered late, twice or with another unit "
        "(notebooks 01 and 02)? If the customers themselves have changed, look at the estimated "
        "performance, and train again once the labels of the new period are there. A feature that "
        "is bound to move goes into monitoring.drift.expected, with its reason.",
        "先排除数据问题：是否有表延迟、重复或单位变化（笔记本 01、02）？若客户确实改变，"
        "请查看估计的性能，并在新时期的标签到达后重新训练。必然变化的特征连同理由写入 "
        "monitoring.drift.expected。",
    ),
    Rule.SCORE_DRIFT: (
        "See which features have moved and weigh most in the model (notebook 08). If none has, "
        "check that the released version is the one that scored. Until that is clear, do not raise "
        "the number of customers who are selected by a fixed threshold of this score.",
        "查看哪些变化的特征在模型中最重要（笔记本 08）。若均未变化，请确认评分所用的正是已发布的"
        "版本。查清之前，不要按该评分的固定阈值扩大所选客户。",
    ),
    Rule.ESTIMATED_PERFORMANCE: (
        "More customers are hard to tell than at the release. Contact fewer by this score, label "
        "the first weeks as soon as they are over, and hold them against the promise; train again "
        "if they confirm it.",
        "难以判断的客户比发布时更多。请减少依据该评分的触达，尽早取得最初几周的标签并与承诺对照；"
        "若得到证实则重新训练。",
    ),
    Rule.REALISED_PERFORMANCE: (
        "The model does less than its card promises. Train again with the latest cutoffs and let "
        "the release decide (`mkt run`); if the new one is no better, retire the model, so that "
        "the default is served, and look for what has changed in the market.",
        "模型未达到卡片所承诺的水平。请用最新的截止日重新训练并交由发布流程裁决（`mkt run`）；"
        "若新模型并无改善，则停用该模型、改用默认策略，并查找市场的变化。",
    ),
    Rule.CALIBRATION: (
        "The numbers are no longer true, though the order may be: worth and budgets rest on them. "
        "Calibrate again (a new run does), and until then use the ranking only.",
        "排序或许仍可用，但数值已不真实，而价值与预算以其为依据。请重新校准（重新运行即可），"
        "此前只使用排序。",
    ),
    Rule.CAMPAIGN_EFFECT: (
        "Stop the campaigns of this period for those who are not in the holdout, keep the holdout, "
        "and see by type and channel where the effect went (notebook 07).",
        "暂停本时期对非对照组客户的活动，保留对照组，并按类型与渠道查明效果去向（笔记本 07）。",
    ),
    Rule.COST: (
        "Stop further contacts of the period until the owner of the budget has agreed; see which "
        "channel has become dearer, and correct its cost in the catalogue.",
        "在预算负责人同意前停止本时期的其他触达；查明哪个渠道变贵，并更正策略目录中的成本。",
    ),
    Rule.CAPS: (
        "Someone was contacted more often than allowed. Find the system that sent past the contact "
        "policy, stop it, and let the customers concerned rest.",
        "有客户被触达的次数超过上限。请找出绕过触达规则的系统并停用，同时暂停触达相关客户。",
    ),
    Rule.SUPPRESSION: (
        "See whether consents, the catalogue or the audit have changed on that day. A suppression "
        "that has vanished is worse than one that has grown: contacts may go out that must not.",
        "查看当天的同意记录、策略目录或审计是否有变。抑制消失比增多更严重：可能发出本不该发的触达。",
    ),
    Rule.STRATEGY_MIX: (
        "Compare the catalogue and the releases of both batches. If no action has grown, a model "
        "may have lost its release, or a budget be spent; if it has shrunk, check "
        "consents and caps.",
        "比较两批决策的策略目录与模型发布。若“不触达”增多，可能是模型失去发布资格或预算用尽；"
        "若减少，请检查同意记录与频次上限。",
    ),
    Rule.FAIRNESS: (
        "Run the audit of this period (notebook 08) and let it decide whether the model is "
        "withheld. Find what has changed for the group: its data, its share of the customers, "
        "or a strategy.",
        "对本时期运行审计（笔记本 08），由其决定是否停用模型。"
        "查明该群体的变化：数据、占比或某项策略。",
    ),
}
