/**
 * Style of the documentation page.
 *
 * @module
 */

/** Light and dark, wide and narrow. */
export const docsStyle: string = `
:root{color-scheme:light dark;--line:light-dark(#d5d9e0,#373c46);--soft:light-dark(#f3f5f8,#1c1f25);
--text:light-dark(#1b1f26,#e4e7ec);--quiet:light-dark(#525a67,#a3abb8);--page:light-dark(#fff,#14161a);
--link:light-dark(#0b57b7,#82b4ff)}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--page);display:grid;
grid-template-columns:17rem minmax(0,1fr)}
a{color:var(--link)}
nav{position:sticky;top:0;height:100vh;overflow-y:auto;padding:1rem;border-right:1px solid var(--line);font-size:.875rem}
nav ul{list-style:none;margin:0;padding:0}
nav li li{margin:.15rem 0}
nav>ul>li{margin-bottom:1rem}
nav li li a{text-decoration:none}
main{padding:1.5rem 2rem 6rem;max-width:60rem}
h1{margin-top:0}
h2{border-bottom:1px solid var(--line);padding-bottom:.3rem;margin-top:2.5rem}
code,pre{font-family:ui-monospace,monospace;font-size:.875em}
pre{background:var(--soft);border:1px solid var(--line);border-radius:6px;padding:.75rem;overflow-x:auto}
details{border:1px solid var(--line);border-radius:6px;margin:.75rem 0;padding:0 1rem}
details[open]{padding-bottom:1rem}
details:has(:target){outline:2px solid var(--link)}
summary{cursor:pointer;padding:.6rem 0;overflow-wrap:anywhere}
summary span,.key,.must,.where{color:var(--quiet)}
.must{font-weight:400;font-size:.75rem}
b.get,b.post,b.put,b.patch,b.delete{text-transform:uppercase;font-size:.75rem;letter-spacing:.03em}
b.get{color:light-dark(#0b57b7,#82b4ff)}b.post{color:light-dark(#1a6e2e,#7fd394)}
b.put,b.patch{color:light-dark(#8a5300,#f0bd6a)}b.delete{color:light-dark(#b3261e,#ff9d95)}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.875rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--line)}
dt{margin-top:.75rem}dd{margin:0 0 0 1rem}
@media (max-width:50rem){body{display:block}nav{position:static;height:auto;border-right:0;
border-bottom:1px solid var(--line)}main{padding:1rem}}
`;
