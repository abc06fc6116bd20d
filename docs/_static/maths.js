for (const element of document.querySelectorAll(".math"))
  katex.render(element.textContent, element, { displayMode: element.tagName === "DIV", throwOnError: false, strict: false });
