// What this page remembers: for the visit (sessionStorage) or for good. A browser that forbids it forgets.

/** Kept until the tab is closed. */
export const visit = store(() => globalThis.sessionStorage);

/** Kept on this device: choices of how the page looks and works, nothing about a person. */
export const device = store(() => globalThis.localStorage);

function store(storage) {
  const attempt = (act) => {
    try {
      return act(storage());
    } catch {
      return null; // storage is switched off or full: the page works without it
    }
  };
  return {
    get: (key) => attempt((kept) => JSON.parse(kept.getItem(`yima.${key}`))),
    set: (key, value) => attempt((kept) => kept.setItem(`yima.${key}`, JSON.stringify(value))),
    drop: (key) => attempt((kept) => kept.removeItem(`yima.${key}`)),
  };
}

/** A cookie's value, or null. */
export function cookie(name) {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : null;
}
