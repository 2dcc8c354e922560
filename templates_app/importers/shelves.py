"""On which of our shelves (categories) a template of another collection belongs, where its title or tags say so."""

import re
from collections.abc import Iterable, Mapping

# The first rule that matches wins: what is narrow stands before what is wide.
_RULES: tuple[tuple[str, str], ...] = (
    ("legal", r"legal|law|lawyer|contract|gdpr|compliance|patent|policy writer|terms of service"),
    ("support", r"support|customer service|help ?desk|complaint|ticket"),
    (
        "marketing",
        r"marketing|marketer|seo|advertis\w+|ad copy|social media|brand\w*|instagram|tiktok|linkedin|youtube|campaign"
        r"|influencer|sales|promotion\w*|landing page|email sequence|copywriter",
    ),
    (
        "engineering",
        r"developer|development|programm\w+|code|coding|coder|software|engineer\w*|debug\w*|api|sql|python|java|javascript"
        r"|typescript|react|next\.?js|django|linux|terminal|console|git|github|devops|docker|kubernetes|regex|frontend"
        r"|back-?end|full-?stack|database|repository|refactor\w*|architect|security|cyber\w*|mcp|cli|php|ios|android|unity"
        r"|test cases?|unit tests?|agents\.md|claude\.md|skill|web ?app|algorithm\w*|data integration|saas",
    ),
    (
        "design",
        r"design\w*|logo|ui|ux|portrait|photo\w*|image|illustration|poster|cinematic|render|3d|scene|selfie|infographic"
        r"|midjourney|stable diffusion|sora|video|art|artist|artistic|drawing|painting|visual\w*|fashion|interior"
        r"|animation|color|icon|character|figurine|diorama|thumbnail",
    ),
    (
        "education",
        r"teach\w*|tutor\w*|teacher|learn\w*|lesson|course|student|education\w*|school|exam|quiz|flashcards?|study"
        r"|math\w*|instructor|language partner|pronunciation|vocabulary|english|academic coach|explain\w*|curriculum",
    ),
    (
        "research",
        r"research\w*|academic|literature|paper|thesis|scientif\w+|scientist|citation|scholar|historian|review article",
    ),
    (
        "analysis",
        r"analy\w+|data|statistic\w*|excel|spreadsheet|dashboard|financ\w+|investment|stock|trading|forecast|audit\w*",
    ),
    ("product", r"product|roadmap|user stor\w+|prd|startup|mvp|feature|requirements"),
    (
        "operations",
        r"business|project manage\w*|manager|recruit\w*|hr|interview\w*|resume|cv|job|career|hiring|accountant"
        r"|logistics|meeting|workflow|process|procurement|erp|strategy|strategic|consultant|planner|plan",
    ),
    (
        "writing",
        r"writ\w+|essay|story\w*|stories|novel\w*|poet\w*|poem|script|editor|edit|blog|translat\w+|summar\w+|rewrite|prose"
        r"|screenwriter|lyric\w*|proofread\w*|email|letter|article|speech\w*|paraphras\w+|humaniz\w+|content creat\w+",
    ),
    (
        "everyday",
        r"travel\w*|recipe|chef|cook\w*|food|fitness|workout|health\w*|diet\w*|doctor|coach|therap\w+|relationship|game"
        r"|games|gaming|astrolog\w*|dream\w*|music\w*|song|movie|film|gift|home|family|personal trainer|psycholog\w*",
    ),
)
# Chinese has no spaces between words: any part of a title may say it.
_CHINESE_RULES: tuple[tuple[str, str], ...] = (
    ("legal", "律师|法律"),
    (
        "engineering",
        "程序|开发|代码|终端|工程师|控制台|解释器|正则|前端|网络安全|架构|编程|算法|机器学习|软件|SQL|Linux",
    ),
    ("marketing", "广告|营销|推销|销售|社交媒体|品牌"),
    ("design", "设计|图像|插画|绘画|SVG|Midjourney"),
    ("education", "老师|教师|导师|讲师|教练员|考官|学习|学生|教育|数学|发音|单词"),
    ("research", "学术|论文|历史学|研究"),
    ("analysis", "统计|数据|财务|金融|投资|分析|Excel"),
    ("operations", "招聘|面试|会计|经理|职业|商业|物流|项目|领导|企业|简历"),
    ("writing", "作家|作者|诗人|小说|编剧|翻译|写作|记者|评论|文案|故事|写手|随笔|标题|拼写"),
    ("everyday", "厨师|旅游|医生|牙医|健身|心理|占星|营养|游戏|化妆|瑜伽|教练|室内|汽车|宠物|风水|催眠|关系|音乐"),
)
_CHINESE = tuple((slug, re.compile(pattern, re.IGNORECASE)) for slug, pattern in _CHINESE_RULES)
_COMPILED = tuple((slug, re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)) for slug, pattern in _RULES)


def shelf_for_title(title: str) -> str:
    """The slug of a category, "" when no word of the title says one."""
    return next((slug for slug, pattern in (*_COMPILED, *_CHINESE) if pattern.search(title)), "")


def shelf_for_tags(tags: Iterable[str], shelves: Mapping[str, str]) -> str:
    """The shelf of the tag that comes first in `shelves`."""
    given = {tag.lower() for tag in tags}
    return next((slug for tag, slug in shelves.items() if tag in given), "")
