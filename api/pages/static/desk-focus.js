// The focus for what is typed or pressed next. A click gives it to the scan field at its end: then it comes back.

export function focusOn(element) {
  element.focus();
  setTimeout(() => {
    const elsewhere = document.activeElement.matches("[data-typing]");
    if (element.isConnected && !elsewhere) element.focus();
  });
}
