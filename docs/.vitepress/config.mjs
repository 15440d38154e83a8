// The site: every document of the repository, read where it lies. Nothing in it is loaded from another host.

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { renderMermaidSVG } from "beautiful-mermaid";

/** The page that opens releases, as the build makes it. */
const INSPECTOR = "packages/inspector/dist";
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const titleOf = (path) => /^# (.+)$/m.exec(readFileSync(join(ROOT, path), "utf8"))?.[1] ?? path;
const page = (path) => ({ text: titleOf(path), link: `/${path.replace(/\.md$/, "")}` });

/** The pages of a folder, `first` ones first, the others by title. */
function pages(folder, first = []) {
  const names = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(".md"));
  const others = names.filter((name) => !first.includes(name)).map((name) => page(`${folder}/${name}`));
  others.sort((a, b) => a.text.localeCompare(b.text, "en"));
  return [...first.map((name) => page(`${folder}/${name}`)), ...others];
}

/** What people look for first. "Two people must sign" is a guide. */
const ANSWERS = ["token.md", "ci-without-secrets.md", "mcuboot.md", "pull-back.md", "commit.md"];

/** The guides as a reader meets them. Each guide has one place here. */
const GUIDES = {
  Releases: "product together ci build-systems lint report inspector audit ledger batch detached signature-files boot-images",
  Keys: "keys keys/choosing-an-algorithm keys/files keys/pkcs11 keys/kms keys/exec keys/hss keys/post-quantum",
  "Trust and rotation": "trust rotation planning",
  Incidents:
    "incidents incidents/stolen incidents/lost incidents/roots-lost incidents/debug-leaked incidents/expired incidents/frozen " +
    "incidents/planned incidents/vendor incidents/post-quantum",
  Devices: "devices bundles micro espruino kernel jerryscript quickjs microquickjs moddable mujs hermes",
};

function guides() {
  const folder = "docs/guides/";
  const listed = Object.values(GUIDES).flatMap((names) => names.split(" "));
  const files = readdirSync(join(ROOT, folder), { recursive: true }).filter((name) => name.endsWith(".md"));
  const missing = files.map((name) => name.replace(/\.md$/, "")).filter((name) => !listed.includes(name));
  if (missing.length > 0) throw new Error(`docs/.vitepress/config.mjs has no place for ${missing.join(", ")}`);
  return Object.entries(GUIDES).map(([text, names]) => ({ text, items: names.split(" ").map((name) => page(`${folder}${name}.md`)) }));
}

const packages = readdirSync(join(ROOT, "packages"))
  .map((name) => `packages/${name}/README.md`)
  .filter((path) => existsSync(join(ROOT, path)));

/** Anchors as GitHub makes them, so that one link works in both places. */
const slugify = (text) =>
  text
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
    .replaceAll(" ", "-");

/** Files that pages link to and that are not pages: they go into the site as they are. */
const linked = new Set();

function links(md) {
  md.core.ruler.push("linked-files", (state) => {
    const folder = dirname(join(ROOT, state.env.relativePath === "index.md" ? "README.md" : state.env.relativePath));
    for (const token of state.tokens.flatMap((t) => t.children ?? [])) {
      const href = token.type === "link_open" ? token.attrGet("href") : null;
      if (!href || /^[a-z]+:|^#/.test(href)) continue;
      const path = join(folder, decodeURI(href.split("#")[0]));
      if (path.endsWith(".md") || !path.startsWith(ROOT) || !existsSync(path)) continue;
      linked.add(relative(ROOT, path));
      token.attrSet("target", "_blank");
    }
  });
}

/** Mermaid becomes a drawing when the site is built; the colours are those of the theme. */
function drawings(md) {
  const fence = md.renderer.rules.fence;
  md.renderer.rules.fence = (tokens, i, ...rest) => {
    if (tokens[i].info.trim() !== "mermaid") return fence(tokens, i, ...rest);
    const svg = renderMermaidSVG(tokens[i].content, {
      bg: "var(--vp-c-bg)",
      fg: "var(--vp-c-text-1)",
      transparent: true,
      font: "sans-serif",
    });
    // The renderer asks another host for a font. As v-html Vue takes the drawing as it is, and drops nothing of it when it wakes up.
    const html = JSON.stringify(svg.replace(/^\s*@import .*$/gm, "").replace(/>\s+</g, "><"));
    return `<div class="drawing" v-html="${md.utils.escapeHtml(html)}"></div>\n`;
  };
}

export default {
  lang: "en-GB",
  title: "firmseal",
  description: "Firmware update signing and verification (SUIT manifests)",
  srcDir: "..",
  srcExclude: ["**/node_modules/**", "fuzz/**", "**/test/**", "packages/*/docs/**"],
  rewrites: { "README.md": "index.md" },
  cleanUrls: false,
  markdown: {
    anchor: { slugify },
    config(md) {
      md.use(links);
      md.use(drawings);
    },
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: [
      { text: "Start", link: "/docs/start/five-minutes" },
      { text: "Guides", link: "/docs/guides/product" },
      { text: "Reference", link: "/docs/reference/commands" },
      // not a page of this site: see buildEnd()
      { text: "Inspector", link: "/inspector/index.html", target: "_self" },
    ],
    sidebar: [
      { text: "Start", items: pages("docs/start", ["five-minutes.md", "from-disk-key-to-hsm.md", "first-device.md"]) },
      { text: "Answers", items: [page("docs/guides/together.md"), ...pages("docs/start/answers", ANSWERS)] },
      ...guides(),
      { text: "Reference", items: pages("docs/reference") },
      { text: "Commands", collapsed: true, items: pages("docs/reference/commands") },
      { text: "Public API", collapsed: true, items: pages("docs/reference/api") },
      { text: "Explanation", items: pages("docs/explanation", ["architecture.md"]) },
      { text: "Packages", collapsed: true, items: packages.map(page) },
      { text: "Project", collapsed: true, items: ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "conformance/README.md"].map(page) },
    ],
  },
  buildEnd({ outDir }) {
    if (!existsSync(join(ROOT, INSPECTOR, "index.html"))) throw new Error(`${INSPECTOR} is missing: npx -y pnpm@12.4.2 build`);
    cpSync(join(ROOT, INSPECTOR), join(outDir, "inspector"), { recursive: true });
    for (const path of linked) {
      mkdirSync(dirname(join(outDir, path)), { recursive: true });
      cpSync(join(ROOT, path), join(outDir, path), { recursive: true });
    }
  },
};
