// The head that all pages share: large type without a reload, remembered for the server's next page.
const YEAR = 365 * 86_400;

/** Lets the type switch work at once; `changed` hears of it. */
export function startFrame(changed) {
  const control = document.querySelector("[data-type-switch]");
  control?.addEventListener("click", (event) => {
    event.preventDefault();
    const large = !largeType();
    document.documentElement.dataset.type = large ? "large" : "normal";
    control.setAttribute("aria-pressed", String(large));
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `yima_type=${large ? "large" : "normal"}; Path=/; Max-Age=${YEAR}; SameSite=Lax${secure}`;
    changed?.(large);
  });
}

/** Whether large-type mode (关怀模式) is on. */
export function largeType() {
  return document.documentElement.dataset.type === "large";
}
