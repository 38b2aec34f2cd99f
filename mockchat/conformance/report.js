"use strict";
// The page says everything without this: it only adds keys and buttons.
(() => {
  const findings = [...document.querySelectorAll("details.finding")];
  const heads = findings.map((finding) => finding.firstElementChild);

  const openAll = (isOpen) => findings.forEach((finding) => { finding.open = isOpen; });

  document.querySelectorAll("[data-open]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => openAll(button.dataset.open === "all"));
  });

  document.querySelectorAll("[data-copy]").forEach((button) => {
    if (!navigator.clipboard) return;
    button.hidden = false;
    const word = button.textContent;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.parentElement.nextElementSibling.textContent);
      button.textContent = "copied";
      setTimeout(() => { button.textContent = word; }, 1500);
    });
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape") {
      const around = document.activeElement.closest("details[open]");
      if (!around) return;
      around.open = false;
      around.firstElementChild.focus();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const at = heads.indexOf(document.activeElement);
    if (!step || at < 0 || !heads[at + step]) return;
    event.preventDefault();
    heads[at + step].focus();
  });

  const openTarget = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target || !target.matches("details.finding")) return;
    target.open = true;
    target.firstElementChild.focus();
  };
  addEventListener("hashchange", openTarget);
  openTarget();

  let openBefore = [];
  addEventListener("beforeprint", () => {
    openBefore = findings.map((finding) => finding.open);
    openAll(true);
  });
  addEventListener("afterprint", () => {
    findings.forEach((finding, at) => { finding.open = openBefore[at]; });
  });
})();
