// a notebook or a documentation theme may be dark where the system is light, and the other way round
const followTheme = (root) => {
  const theme = () => {
    const body = document.body, page = document.documentElement;
    const said = body.dataset.jpThemeLight !== undefined
      ? (body.dataset.jpThemeLight === "true" ? "light" : "dark")
      : [body.dataset.theme, page.dataset.theme].find((name) => name === "light" || name === "dark");
    if (said) root.dataset.theme = said; else delete root.dataset.theme;
  };
  theme();
  for (const element of [document.body, document.documentElement])
    new MutationObserver(theme).observe(element, { attributes: true, attributeFilter: ["data-theme", "data-jp-theme-light"] });
};
