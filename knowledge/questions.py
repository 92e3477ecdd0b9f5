"""What kind of question a text is: greeting, comparison, a colleague wanted, knowledge wanted, or none of the bot's business.

Decided from the words of the question alone, before and apart from what it is about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from knowledge.answers import Facet
from knowledge.text import strip_markup

Kind = Literal["empty", "greeting", "thanks", "help", "compare", "people", "knowledge"]
Via = Literal["command", "mention", "dm"]


@dataclass(frozen=True)
class Intent:
    """Hold what is asked, apart from about what."""

    kind: Kind
    facet: Facet
    text: str
    """The question in lower case, without Slack's markup."""
    subject: str
    """The part of the text that names the subject."""
    sides: tuple[str, str] | None = None
    """The two subjects of a comparison, as typed; an empty one means the conversation's subject."""
    wants_role: bool = False
    """A role is asked for by what it does ("which role …", "whose job is it …")."""
    refers_back: bool = False
    """A pronoun stands where the subject would ("do they need docker")."""
    outside: bool = False
    """Asks for something that the knowledge base does not hold of any subject: pay, prices, dates, files, support."""


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


_GREETING = _any(
    r"hi|hello|hey|hiya|heya|yo|howdy|gm|greetings|good (?:morning|afternoon|evening|day)|morning|evening|sup|hola|hallo|servus|moin",
    r"bonjour|salut|ciao|ol[aá]|namaste|नमस्ते|こんにちは|guten (?:morgen|tag|abend)|what'?s up|how are you(?: doing)?|you there",
    r"bye|goodbye|see you|cheers|good ?night",
)
_THANKS = _any(
    r"thanks?(?: you| u)?|thx|ty|tysm|thankyou|cheers|gracias|danke(?: sch[oö]n)?|merci(?: beaucoup)?|obrigad[oa]|grazie",
    r"ありがとう(?:ございます)?|धन्यवाद|much appreciated|appreciate it|great help|nice one|perfect|awesome|great|cool|ok(?:ay)?|got it",
)
_FILLER = r"(?:\s|[!.,;?~*…-]|\b(?:so much|very much|a lot|a million|bot|there|all|everyone|team|folks|again|dear|my friend|you|u|for (?:that|the help|your help))\b)*"
_HELP = _any(
    r"help(?: me)?(?: please)?",
    r"(?:what|how) (?:can|do) you (?:do|help|work)(?: with| for me)?.*",
    r"what (?:are|is) (?:you|this)(?: bot)?(?: for)?",
    r"who are you",
    r"usage|commands?|options|menu|start|about|manual|how does this work|how do i use (?:you|this|it).*",
    r"(?:please )?(?:list|show|browse|tell me|give me)(?: me)?(?: all)?(?: the| of the)?(?: ai| genai| gen ai| generative ai| available)* roles?(?: please)?",
    r"(?:what|which)(?: ai| genai| gen ai| generative ai)* roles? (?:are there|exist|do you (?:know|have|cover)|is there)",
    r"roles|all roles|everything",
)

_COMPARE = (
    re.compile(r"^(?:please )?compare (?P<a>.+?) (?:and|with|to|vs\.?|versus|against|&|or) (?P<b>.+)$"),
    re.compile(r"\bcompare (?P<a>.+?) (?:and|with|to|vs\.?|versus|against|&) (?P<b>.+)$"),
    re.compile(
        r"\b(?:differen\w+|distinction|contrast|overlap|line|boundary|border) between (?P<a>.+?) (?:and|vs\.?|&|or) (?P<b>.+)$"
    ),
    re.compile(
        r"\b(?:differentiates?|distinguish(?:es)?|separates?|tell) (?P<a>.+?) (?:from|and) (?P<b>.+?)(?: apart)?$"
    ),
    re.compile(r"(?P<a>\S.*?) (?:vs\.?|versus|v\.) (?P<b>.+)$"),
    re.compile(
        r"(?:how (?:is|are|does|do)|is|are|what makes) (?P<a>.+?) (?:any |very |so )?(?:different|differ|distinct|the same|not the same|unlike)(?: job| role)?(?: from| to| than| as)? (?P<b>.+)$"
    ),
    re.compile(r"how (?:do|does) (?P<a>.+?) and (?P<b>.+?) (?:differ|compare|relate|divide)"),
    re.compile(r"(?P<a>.+?) (?:compared (?:to|with)|as opposed to|in contrast to) (?P<b>.+)$"),
    re.compile(
        r"(?:is|are) (?P<a>.+?) (?:just |really |basically |simply )?(?:the same (?:thing |job |role )?as|another (?:word|name) for) (?P<b>.+)$"
    ),
    re.compile(
        r"(?P<a>.+?) (?:and|&) (?P<b>.+?)[,:;]? (?:what'?s|what is|whats|where'?s|is there) (?:the|a|any) difference"
    ),
    re.compile(
        r"^(?P<a>(?:(?!\bwho\b|\bwhich\b).)+?) or (?P<b>[^,]+?)[?,]* (?:what'?s the difference|which is which|who does what)"
    ),
)
_COMPARE_CUE = re.compile(
    r"\b(?:differ\w*|vs\.?|versus|compare[ds]?|comparison|distinguish\w*|distinction|same (?:thing|job|role)?\s?as|confuse[ds]?|mix(?:ed)? up)\b"
)

_SKILLS = _any(
    r"\bskills?(?:et|s)?\b|\bskill ?set\b|\bcompetenc\w+|\bqualif\w+|\bexpertise\b|\bprerequisite\w*|\bknow-?how\b",
    r"\b(?:need|needs|have|has|must|should|got|required?|expected|supposed|ought) (?:\w+ ){0,3}(?:to )?(?:know|learn|master|understand|be able|be good|study)\b",
    r"\b(?:need|needs|necessary|required|a must|essential|mandatory|useful|helpful|enough)\b.*\b(?:for|to (?:be|become|work|get))\b",
    r"\b(?:do|does|must|should|would|can) (?:a |an |the |our )?(?:\w+[ -]){0,5}(?:need|require|have to know|know|use|code|program)\b",
    r"\bwhat (?:do|does|should|must|would) (?:\w+ ){1,6}(?:know|learn|study|master|be good at|bring|need)\b",
    r"\b(?:which|what) (?:tools?|tooling|tech(?:nolog(?:y|ies))?|stack|frameworks?|languages?|libraries|software|maths?|programming languages?|platforms?|programs)\b",
    r"\b(?:tools?|tooling|tech stack|toolbox|toolkit|stack|frameworks|technologies|programming languages) (?:for|of|used by|does|do|should|that|a|an|the|every)\b",
    r"\bbackground (?:is |do |does )?(?:need|require)\w*|\bbackground needed\b|\bbrush up\b|\brequirements?\b(?! (?:into|to|from))",
    r"\bwhat (?:should|must|do) i (?:learn|study|know|need|read up)\b|\bhow (?:do|can|to) (?:i |one |you )?(?:become|get into|qualify)\b|\b(?:become|becoming) (?:a|an)\b",
    r"\b(?:good|strong|fluent) (?:at|in) (?:what|which)\b|\bwhat must\b|\bfähigkeiten\b|\bkenntnisse\b|\bcomp[eé]tences?\b|\bhabilidades\b|\bcompetências?\b|スキル|कौशल",
)
_RESPONSIBILITIES = _any(
    r"\bresponsib\w+|\bduty\b|\bduties\b|\bday[- ]to[- ]day\b|\bday in,? day out\b|\bjob description\b|\baccountable for\b",
    r"\bwhat(?:'s| is| are)? (?:\w+ )?(?:the )?(?:main |core |daily |typical |key |usual )?(?:tasks?|work|jobs?|remit)\b",
    r"\b(?:core|main|daily|typical|key|usual|everyday) (?:tasks|work|activities)\b|\btasks? (?:of|for|does|do)\b",
    r"\bwhat (?:do|does|would|should|will|is|are|did) (?!i\b|you\b|we\b)(?:.+?) (?:do|doing|does|handle|handles|evaluate|evaluates|cover|deliver|own|work on|look after|take care of|be doing|actually do)\b",
    r"\bdo(?:es)? all day\b|\bin charge of\b|\bremit\b|\b(?:everyday|daily) (?:job|work|life)\b|\btypical (?:day|week)\b",
    r"\bwhat (?:a|an|the) (?:.+?) (?:does|do|is doing)\b",
    r"\baufgaben\b|\bverantwort\w+|\bresponsabilit\w+|\bresponsabilidad\w*|\btâches\b|\btareas\b|\btarefas\b|\bque fait\b|\bqu[eé] hace\b|\bo que faz\b|\bwas macht\b|仕事|役割|何をする|क्या काम|क्या करत",
)
_EXAMPLE = _any(
    r"\bexamples?\b|\bsample\b|\bfor instance\b|\bdemo\b|\bsnippet\b|\billustrat\w+|\bcase study\b|\be\.g\.",
    r"\bwhat (?:might|could|would) (?:a |an |the )?(?:.+?) (?:build|produce|contribute|come up with|invent)\b",
    r"\bbeispiel\b|\bexemple\b|\bejemplo\b|\bexemplo\b|例|उदाहरण",
)

_GENERAL = re.compile(
    r"\bin general\b|\bgenerally\b|\busually\b|\btypically\b|\bnormally\b|\btypical\b|\b(?:in|on|at) (?:most|a|an|any|other|genai|ai|good|normal|modern)[\w ]* (?:teams?|compan\w+|organi[sz]ations?|projects?)\b"
    r"|\brole[- ]wise\b|\bby role\b|\bin theory\b|\bas a rule\b|\bnot looking for a person\b|\bon paper\b|\bin the (?:guide|textbook)\b|\bin principle\b|\bwhich role\b|\bwhat role\b|\bwhich job\b|\bwhich of the\b"
)
_HERE = r"\b(?:here|around here|in (?:this|our|the) (?:company|team|office|workspace|org\w*|channel|slack)|on (?:this|our|the|my) team|among us|of us|do we have|have we got|in[- ]house)\b"
_NOUN_WHO = re.compile(
    r"\b(?:people|person|someone|somebody|anyone|anybody|those|one|ones|engineers?|specialists?|scientists?|designers?|colleagues?|friend|team|guys?|everyone|people|man|woman|role|user|users|customer|customers|managers?|experts?|reviewers?|he|she|they|them|us|you|and) who\b"
)
_KNOWLEDGE_AFTER_ANYONE = re.compile(
    r"\b(?:any ?one|any ?body|some ?one|some ?body|who)(?: here| else)? (?:can |could |to |please )?(?:know|knows|explain|tell me|remember|understand|understands)s?,? (?:me )?(?:how|what|whats|what's|why|if|whether|when|where|which|the difference|the meaning)\b"
)
_PEOPLE = _any(
    r"\bwho'?s? (?:is |are |was )?(?:our|the|my|on|in|doing|good|covers?|here|knows|handles|does|can|could|should|do|would|owns|runs|has|to ask)\b",
    r"\bwho(?:m|'s|'d|'ll|'re)?\b",
    r"\b(?:any ?one|any ?body|some ?one|some ?body|some ?1|any ?1)\b(?=.*\b(?:know|knows|good|great|experience\w*|familiar|expert|help|hand|for|4|with|from|doing|does|work\w*|covers?|here|around|free|who|able|skilled|comfortable|used|done|looked|into|on|did)\b)",
    r"\b(?:point|direct|send|introduce|connect|refer) me (?:to|at|towards|with) (?!the (?:docs?|documents?|page|link))",
    r"\b(?:put|get) me in (?:touch|contact)\b",
    r"\b(?:need|want|looking for|look for|searching for|seeking|find me|find|after|get me|recommend) (?:a |an |the |our |some )?(?:person|expert|colleague|contact|teammate|someone|somebody|human|hand|specialist)\b",
    r"\b(?:need|want|looking for|searching for|seeking|find me) (?:a|an|our|the) (?=.*\b(?:here|help|for an hour|this week|today|tomorrow|asap|urgently|on the team)\b)",
    r"\b(?:do we|have we|did we|does (?:the|our) team|is there|are there|got) (?:have |got |any |an |a )*(?:.+?)(?:"
    + _HERE
    + r"|\b(?:i can (?:ask|talk to)|to ask|on board)\b)",
    r"\bdo we have (?:a|an|any|some)\b",
    r"\bany(?: other)? (?:.+?) (?:here|around|in the team|on the team|besides me|apart from me)\b",
    r"\b(?:which|what) (?:one )?of us\b|\bwhich (?:colleagues?|teammates?|person|people|members?|human)\b|\bname of (?:our|the)\b",
    r"\b(?:person|people|ppl|guy|gal|folks|expert|experts|lead|contact|owner|wizard|guru|nerd)\s*(?:here|around|please|pls)?\s*\?+$",
    r"\bwhose (?:desk|inbox|door)\b|\bask (?:someone|somebody) (?:about|for|on)\b|\btalk to (?:someone|somebody)\b|\bspeak (?:to|with) (?:someone|somebody|our)\b",
    r"\bwho\b.*\bask\b|\bperson (?:to ask|for|in charge)\b",
)
_PAST_WHO = re.compile(
    r"\bwho (?:even |ever |actually |first |originally )?(?:wrote|founded|invented|created|made|won|painted|directed|said|ate|took|stole|left|broke|built|discovered|sang|played|knew|would have|could have|wants|want|won't|has my|took|moved|started|coined|designed the|developed the|needs (?:a|coffee)|thought|sent|parked|let|cares)\b"
    r"|\bguess who\b|\bwho cares\b|\bfounder\b|\binventor\b|\bceo\b|\bcto\b|\bcfo\b|\bpresident of\b"
)
_WANTS_ROLE = _any(
    r"\b(?:which|what)(?: kind of| type of| sort of)?(?: \w+){0,4} (?:role|roles|job title|job|profession|position|specialist|expert|specialty)\b(?! (?:do|does|did|will|can) (?:\w+ ){1,5}play)",
    r"\bwhose (?:job|responsibility|task|role|work|field|business|department)\b",
    r"\b(?:a|any|the|is there|some)(?: \w+){0,3} roles? (?:that|for|which|to|who|of somebody|where|combining|responsible)\b|^roles? (?:that|for|which|to|who)\b",
    r"\brole[- ]wise\b|\bwhich (?:one )?(?:fits|suits|is (?:that|it|for me))\b|\bwhich one\b\W*$|\bsuits? me\b|\bfits? me\b|\bright for me\b|\bis for me\b|\bversion of my job\b|\bwhat am i\b|\bmy job called\b|\bis (?:that|this) called\b",
    r"\bwelche rolle\b|\bquel r[oô]le\b|\bqu[eé] rol\b|\bcu[aá]l es el rol\b|\bqual (?:papel|função|cargo)\b|どの役割|どの職種|कौन सी भूमिका|किस भूमिका",
)
_BACK = re.compile(
    r"\b(?:they|them|their|theirs|he|she|his|her|it|its|that|this|those|these|that one|this one|same|such|one)\b"
)

_OUTSIDE = _any(
    # Pay, prices and hiring.
    r"\bsalar(?:y|ies)\b|\bwages?\b|\bearns?\b|\bearning\b|\bpaid\b|\bpay ?(?:check|roll|day|band|grade|range|rise|scale|slip|gap)\b|\bget paid\b|\bwell[- ]paid\b|\bthe pay\b|\bcompensation\b|\bbonus(?:es)?\b|\bstock options?\b|\b(?:day|hourly|daily) rate\b|\bcharge (?:as|per|for)\b|\bmakes? (?:per|a|each) (?:year|month|hour)\b|\bhow much (?:money )?(?:do|does|can|should|would|could|will)\b.*\b(?:make|earn|get|charge|cost|pay)\b",
    r"\bprices?\b|\bpricing (?:of|for|plan)\b|\bhow much (?:is|are|did|does|do|was|for)\b|\bcost (?:of an?|per)\b|\bcosts? (?:a|per) (?:month|hour|year|seat)\b|\bdiscounts?\b|\bfree (?:plan|tier|trial)\b|\blicen[cs]e (?:fee|key|cost)\w*|\bsubscription\b|\bbudget (?:left|for q\d)\b|\binvoices?\b|\bexpenses?\b|\breceipts?\b",
    r"\bvacanc\w+|\bjob (?:opening|offer|ad|posting|market|board|listing)s?\b|\bopen(?:ing)? (?:positions?|roles? at|reqs?)\b|\bapplied for\b|\bapplicants?\b|\brefer me\b|\breferrals?\b|\binterviews? (?:for|start|slot|schedule|panel|questions?|round)\b|\b(?:do|when|are) interviews\b|\brecruit\w*|\bvisas?\b|\bwork permit\b|\bcover letter\b|\bheadcount\b|\bare we hiring\b|\bhiring (?:freeze|manager|plan|for)\b|\bis hiring\b|\bnotice period\b|\bprobation\b|\bpromot(?:ed|ion)\b",
    # Where a file is, when a meeting is, what the company has.
    r"\bwhere(?:'s|s| is| are| can i (?:find|get|buy|download|see)| do i (?:find|get|buy|put)| did)\b|\bwhere to (?:buy|find|get|download)\b|\blink(?: pls| please| to| for|s to)\b|\bmeeting\b|\bspreadsheet\b|\bslides?\b|\brunbook\b|\bwiki page\b|\bpassword\b|\blog ?in\b|\bsign ?up\b|\b(?:latest|last week's|last month's|this week's|q\d) (?:\w+ ){0,4}(?:report|minutes|figures|numbers|results|deck)\b|\bshare the\b|\bsend me the\b|\bfull text\b|\bpdf of\b|\bdownload\b",
    r"\bwhen (?:is|are|was|were|did|will)\b|\bwhen(?:'s|s)\b|\bwhen (?:does|do) (?:the|our|my|this|interviews?)\b|\bwhat (?:time|date|day|year)\b|\bin what year\b|\bwhich year\b|\bcancel\w*|\bstand-?up\b(?=.*\b(?:today|when|time|moved)\b)|\bretro\b|\bcalendar\b|\bdeadline\b|\bmoved to (?:mon|tues|wednes|thurs|fri)day\b|\bstarts? at\b|\bcourse (?:start|date|next)\b|\bdrill\b|\bworkshop (?:today|tomorrow|on)\b",
    r"\bhow (?:many|old|tall|long (?:do|does|is|did|was|will|until)|far|big is|fast is)\b|\bwho (?:founded|invented|owns|created|wrote|won)\b|\bceo\b|\bfounder\b|\bfounded\b|\binvented\b|\bstock price\b|\bshares? (?:price|of)\b|\bcapital of\b|\bwhich (?:clients?|customers) (?:use|have)\b|\bmarket (?:share|cap)\b|\brelease date\b|\bfirst released\b|\bnews\b|\bfine for\b|\bpenalt(?:y|ies)\b|\barticle \d+",
    # Doing things, and support for tools.
    r"^(?:please |pls |can you |could you |hey,? )*(?:remind|set (?:a|an|my)|book|order|translate|draw|play|write (?:me )?(?:a|an|the|my)|schedule|delete|repeat|ignore|pretend|act as|summari[sz]e (?:the|this|my)|send|email|call|fix|run|restart|deploy (?:the|my)|merge|approve|open a|create a|generate (?:a|an|me)|tell me a (?:joke|story)|sing|calculate|solve|convert|print|roll (?:a|the) dic?e)\b",
    r"\byou are now\b|^system\b|\bjailbreak\b|\bprevious instructions\b|\bsystem prompt (?:word for word|verbatim)\b|\byour (?:system )?prompt\b|\bdeveloper mode\b",
    r"\berrors?\b(?! (?:rate|budget|analysis|message[s]? design))|\bfails?\b(?! to generalise)|\bfailing\b|\bcrash\w*|\bnot working\b|\bdoesn'?t (?:work|start|load|open)\b|\bwon'?t (?:start|load|open|connect)\b|\bis (?:down|red|broken|stuck)\b|\breturns? \d{3}\b|\bout of memory\b|\btraceback\b|\bexception\b|\bpip install\b|\binstall(?:ing|ation)?\b|\bsegfault\b|\bpermission denied\b|\bconnection refused\b|\btimeouts?\b|\bkeeps? (?:dropping|crashing|popping)\b|\bhangs\b|\bwhich port\b|\b(?:\w+ )?(?:command|query|formula|syntax|regex|script) (?:to|for|that)\b|\bcommand line flag\b|\bsyntax\b|\bregex\b",
    r"\bhow (?:do i|to|can i|do you|does one|do we) (?:get (?:\w+ ){1,3}to|change|escape|read|write|restart|reset|install|upgrade|update|mute|export|import|configure|enable|disable|set up|add|remove|rename|print|parse|sort|convert|call|connect|kill|scale|mount|delete|list|unzip|join|share|undo|revert|create|plot|loop|format|turn (?:on|off)|open|close|log|sum|count|filter|merge|append|draw)\b",
)


def understand(text: str, via: Via = "mention") -> Intent:
    """Say what kind of question a text is."""
    plain = " ".join(strip_markup(text).casefold().split()).strip()
    bare = plain.strip(" \t!?.,;:*_~\"'()[]{}…-")
    if not re.search(r"\w", plain):
        return Intent("empty", "summary", plain, "")
    if re.fullmatch(f"(?:{_GREETING.pattern}){_FILLER}(?:(?:{_GREETING.pattern}){_FILLER})?", bare):
        return Intent("greeting", "summary", plain, "")
    if re.fullmatch(f"(?:{_THANKS.pattern}){_FILLER}(?:(?:{_THANKS.pattern}|{_GREETING.pattern}){_FILLER})?", bare):
        return Intent("thanks", "summary", plain, "")
    if _HELP.fullmatch(bare):
        return Intent("help", "summary", plain, "")
    refers_back = bool(_BACK.search(bare))
    if via == "command" or plain.startswith(("who ", "compare ")):
        if re.fullmatch(r"compare", bare):
            return Intent("compare", "compare", plain, "", sides=None)
        match = re.fullmatch(r"who(?:m)?\s+(?P<rest>.+)", bare)
        if via == "command" and match and not _PAST_WHO.search(bare):
            return Intent("people", "people", plain, match["rest"], refers_back=refers_back)
    sides = _sides(bare)
    if sides is not None:
        return Intent("compare", "compare", plain, bare, sides=sides, refers_back=refers_back)
    general = bool(_GENERAL.search(bare))
    wants_role = bool(_WANTS_ROLE.search(bare))
    if _seeks_colleague(bare, plain) and not general:
        return Intent("people", "people", plain, bare, refers_back=refers_back, outside=bool(_PAST_WHO.search(bare)))
    asks_who = bool(re.search(r"\bwho(?:m|'s|'d|se)?\b", bare)) and not _NOUN_WHO.search(bare)
    return Intent(
        "knowledge",
        _facet(bare, wants_role or (asks_who and general)),
        plain,
        bare,
        wants_role=wants_role or (asks_who and general),
        refers_back=refers_back,
        outside=bool(_OUTSIDE.search(bare) or _PAST_WHO.search(bare)),
    )


def _seeks_colleague(bare: str, plain: str) -> bool:
    if _KNOWLEDGE_AFTER_ANYONE.search(bare):
        return False
    rest = _NOUN_WHO.sub(lambda match: match.group().rsplit(" ", 1)[0] + " ", bare)
    found = _PEOPLE.search(rest) or _PEOPLE.search(plain)
    if found is None:
        return False
    if found.group().startswith("who") or re.search(r"\bwho\b", found.group()):
        return bool(re.search(r"\bwho", rest))
    return True


def _facet(text: str, wants_role: bool) -> Facet:
    if _EXAMPLE.search(text):
        return "example"
    if wants_role:
        # "Which role …" asks for the role, whatever words describe its work.
        return "summary"
    if _SKILLS.search(text):
        return "skills"
    if _RESPONSIBILITIES.search(text):
        return "responsibilities"
    return "summary"


def _sides(text: str) -> tuple[str, str] | None:
    if not (
        _COMPARE_CUE.search(text)
        or "difference" in text
        or "tell" in text
        or " or " in text
        or "overlap" in text
        or "line between" in text
    ):
        return None
    for pattern in _COMPARE:
        match = pattern.search(text)
        if match:
            return match["a"].strip(" ,:;"), match["b"].strip(" ,:;?!.")
    return None
