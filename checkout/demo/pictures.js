// The products' pictures: a few flat shapes each, drawn for this page.
// Presentation attributes only, since the page's policy allows no inline style.

const frame = (background, shadow, drawing) =>
  `<svg viewBox="0 0 160 120" aria-hidden="true" focusable="false" preserveAspectRatio="xMidYMid slice">
    <rect width="160" height="120" fill="${background}"/><circle cx="80" cy="58" r="50" fill="#fff" opacity=".34"/>
    <ellipse cx="80" cy="104" rx="46" ry="5" fill="${shadow}"/>${drawing}</svg>`;

const steam = (x, y) =>
  `<g fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" opacity=".9">
    <path d="M${x - 9} ${y}q-5-6 0-12t0-11"/><path d="M${x + 9} ${y}q-5-6 0-12t0-11"/></g>`;

const pictures = {
  'demo-pour-over': frame('#f2ddc8', '#dec3a8', `
    <path d="M107 70q17 2 12 17-3 8-13 9" fill="none" stroke="#c8a98a" stroke-width="5" stroke-linecap="round"/>
    <path d="M60 58h40l10 36a8 8 0 0 1-8 10H58a8 8 0 0 1-8-10z" fill="#fff" opacity=".85"/>
    <path d="M55 77h50l5 17a8 8 0 0 1-8 10H58a8 8 0 0 1-8-10z" fill="#7a4a2b"/>
    <path d="M55 77h50l1.5 5H53.5z" fill="#95613c"/>
    <path d="M59 64l-5 19" stroke="#fff" stroke-width="3" stroke-linecap="round" opacity=".8"/>
    <rect x="58" y="53" width="44" height="6" rx="3" fill="#4d3322"/>
    <path d="M50 24h60L95 53H65z" fill="#fdfaf6"/><path d="M50 24h60l-4 8H54z" fill="#e9dfd2"/>
    <path d="M70 34l6 17M90 34l-6 17M80 34v17" stroke="#e9dfd2" stroke-width="2.5" stroke-linecap="round"/>
    <rect x="46" y="19" width="68" height="7" rx="3.5" fill="#4d3322"/>
    <path d="M80 62v10" stroke="#7a4a2b" stroke-width="3" stroke-linecap="round"/>`),

  'demo-oat-latte': frame('#dbe7e4', '#bfd1cc', `
    <path d="M92 12l-9 34" stroke="#e0674f" stroke-width="5" stroke-linecap="round"/>
    <path d="M55 26h50l-6 72a7 7 0 0 1-7 6H68a7 7 0 0 1-7-6z" fill="#fff" opacity=".9"/>
    <path d="M58.5 44h43L100 62c-14 7-26-6-40 1z" fill="#8a5734"/>
    <path d="M60 62c14-8 27 6 40-1l-1 14c-12 8-26-5-38 1z" fill="#c99c6d"/>
    <path d="M61 75c12-7 26 7 38-1l-2 23a5 5 0 0 1-5 5H68a5 5 0 0 1-5-5z" fill="#f0dfc6"/>
    <rect x="57" y="36" width="46" height="9" rx="4.5" fill="#fbf5ea"/>
    <g fill="#fff" opacity=".75"><rect x="67" y="47" width="12" height="11" rx="2.5" transform="rotate(-12 73 52)"/><rect x="84" y="49" width="11" height="10" rx="2.5" transform="rotate(15 89 54)"/></g>
    <path d="M64 32l4 60" stroke="#fff" stroke-width="3.5" stroke-linecap="round" opacity=".65"/>`),

  'demo-croissant': frame('#fae6bd', '#e9cd96', `
    <g stroke="#a9651f" stroke-width="1.5" stroke-linejoin="round">
    <path d="M24 86c-6 8 1 17 10 14 9-2 14-9 17-17l-14-12c-6 3-10 8-13 15z" fill="#cf8a35"/>
    <path d="M136 86c6 8-1 17-10 14-9-2-14-9-17-17l14-12c6 3 10 8 13 15z" fill="#cf8a35"/>
    <path d="M33 62c-6 7-3 19 5 25 5 4 12 3 15-2l13-21-15-17c-7 2-13 8-18 15z" fill="#e09b43"/>
    <path d="M127 62c6 7 3 19-5 25-5 4-12 3-15-2L94 64l15-17c7 2 13 8 18 15z" fill="#e09b43"/>
    <path d="M54 41c-8 6-8 22-1 33 4 7 13 7 17 1l9-14V35c-9 0-18 2-25 6z" fill="#eaae57"/>
    <path d="M106 41c8 6 8 22 1 33-4 7-13 7-17 1l-9-14V35c9 0 18 2 25 6z" fill="#eaae57"/>
    <path d="M68 37c-5 12-4 27 3 38 4 7 14 7 18 0 7-11 8-26 3-38-7-4-17-4-24 0z" fill="#f3c173"/></g>
    <g fill="none" stroke="#fbe0ac" stroke-width="3" stroke-linecap="round"><path d="M74 44q-2 10 1 20"/><path d="M56 49q-4 8-1 17"/><path d="M39 64q-4 6-2 12"/><path d="M103 47q4 5 3 12"/></g>`),

  'demo-cheesecake': frame('#f5d9d0', '#e4bdb0', `
    <ellipse cx="80" cy="98" rx="58" ry="9" fill="#fff"/><ellipse cx="80" cy="96" rx="50" ry="6" fill="#f1e6de"/>
    <path d="M34 56v30c0 8 20 13 46 13s46-5 46-13V56z" fill="#f7dfa4"/>
    <path d="M34 56v13c6 9 22 9 46 9s40 0 46-9V56z" fill="#d59a4e"/>
    <path d="M34 56v8c9 8 24 8 46 8s37 0 46-8v-8z" fill="#a9672b"/>
    <ellipse cx="80" cy="55" rx="46" ry="14" fill="#7d4420"/><ellipse cx="80" cy="53" rx="39" ry="10.5" fill="#8f5127"/>
    <path d="M52 50q10-5 24-5.5" fill="none" stroke="#b87741" stroke-width="3" stroke-linecap="round"/>
    <path d="M80 54l31 38c-5 3-12 5-20 6z" fill="#fbeec6"/><path d="M80 54l31 38 8-4-7-31z" fill="#f5d9d0"/>
    <path d="M80 54l32 3 7 31-8 4z" fill="#e9cd8e"/><path d="M80 54l11 44-8 1-3-45z" fill="#fdf4d6"/>
    <g><circle cx="66" cy="42" r="7" fill="#c8354a"/><path d="M66 36q3-6 8-6" fill="none" stroke="#5d8a46" stroke-width="2.5" stroke-linecap="round"/><circle cx="63.5" cy="39.5" r="1.800" fill="#f2a3ad"/></g>`),

  'demo-beans': frame('#d5e2d0', '#b6c8af', `
    <path d="M52 32h56l6 64a8 8 0 0 1-8 8H54a8 8 0 0 1-8-8z" fill="#c4956a"/>
    <path d="M52 32h8l-4 72h-2a8 8 0 0 1-8-8z" fill="#b3845a"/><path d="M108 32h-8l4 72h2a8 8 0 0 0 8-8z" fill="#d3a67c"/>
    <path d="M54 16h52l2 18H52z" fill="#a97850"/><rect x="50" y="25" width="60" height="7" rx="3.5" fill="#3f4f3c"/>
    <rect x="60" y="48" width="40" height="42" rx="5" fill="#fbf7ef"/>
    <g transform="rotate(28 80 65)"><ellipse cx="80" cy="65" rx="9" ry="13" fill="#5c3820"/><path d="M80 53c-5 7 5 14 0 24" fill="none" stroke="#a9784f" stroke-width="2.200" stroke-linecap="round"/></g>
    <path d="M69 84h22" stroke="#c9bda9" stroke-width="3" stroke-linecap="round"/>
    <g fill="#6b4226"><ellipse cx="128" cy="100" rx="7" ry="5" transform="rotate(-20 128 100)"/><ellipse cx="34" cy="102" rx="7" ry="5" transform="rotate(15 34 102)"/></g>
    <g fill="none" stroke="#b08560" stroke-width="1.5" stroke-linecap="round"><path d="M122 102q6 0 12-4"/><path d="M28 100q6 1 12 4"/></g>`),

  'demo-mug': frame('#d9dcee', '#bcc1dc', `${steam(74, 32)}
    <path d="M108 52c22-4 26 30-1 34" fill="none" stroke="#46589a" stroke-width="8" stroke-linecap="round"/>
    <path d="M40 42h70v42a20 20 0 0 1-20 20H60a20 20 0 0 1-20-20z" fill="#fbfaf7"/>
    <path d="M40 66c12-8 22 6 36 0s24-5 34 0v18a20 20 0 0 1-20 20H60a20 20 0 0 1-20-20z" fill="#5a6db4"/>
    <path d="M40 78c12-7 24 5 36 0s24-4 34 0v6a20 20 0 0 1-20 20H60a20 20 0 0 1-20-20z" fill="#46589a"/>
    <ellipse cx="75" cy="42" rx="35" ry="7" fill="#e6e2da"/><ellipse cx="75" cy="42.5" rx="29" ry="4.800" fill="#6b4226"/>
    <g fill="#b9b3a6"><circle cx="52" cy="56" r="1.5"/><circle cx="66" cy="60" r="1.200"/><circle cx="88" cy="55" r="1.5"/><circle cx="99" cy="61" r="1.200"/><circle cx="76" cy="54" r="1"/></g>`),
};

/** The picture of a product, as SVG text; a bag for one that has none. */
export const picture = (sku) => pictures[sku] ?? pictures['demo-beans'];
