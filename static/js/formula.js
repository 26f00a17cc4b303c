// A click on a metric's key writes it into the formula, where the caret stands. Without script one types it.
(() => {
  for (const code of document.querySelectorAll("[data-insert]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = code.textContent;
    button.title = "Write it into the formula";
    code.replaceChildren(button);
    button.addEventListener("click", () => {
      const field = document.getElementById(code.dataset.insert);
      const { selectionStart: start, selectionEnd: end, value } = field;
      const before = value.slice(0, start);
      const gap = before && !/[\s(]$/.test(before) ? " " : "";
      field.setRangeText(gap + button.textContent, start, end, "end");
      field.focus();
    });
  }
})();
