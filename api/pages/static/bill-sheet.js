// WeChat's pay sheet: the real one inside WeChat; outside, in the demo, one that stands for it before the sandbox.
import { button, h, icon } from "./dom.js";
import { t } from "./language.js";

const PREPAY = "prepay_id=";
const WORDS = { ok: "ok", cancel: "cancel", fail: "fail" };
const NATIVE = "/pages/pay/pay"; // the mini-program's own page, which calls wx.requestPayment
const { sandbox } = document.querySelector("main").dataset;

const inside = () => globalThis.WeixinJSBridge ?? null;

/** Whether there is a sheet that can be asked here. */
export const canAsk = () => Boolean(inside() || globalThis.wx?.requestPayment || sandbox);

/** Shows the sheet for `jsapi`, what the service gave for it. The sheet's word: ok, cancel, fail, or absent without one. */
export function askWeChat(jsapi, amount) {
  const bridge = inside();
  if (bridge && globalThis.__wxjs_environment === "miniprogram") return throughMiniProgram(bridge, jsapi);
  if (bridge) return new Promise((said) => bridge.invoke("getBrandWCPayRequest", jsapi, ({ err_msg: word = "" }) => said(WORDS[word.split(":").pop()] ?? "fail")));
  if (globalThis.wx?.requestPayment) return requested(jsapi);
  return sandbox ? standIn(jsapi, amount) : Promise.resolve("absent");
}

function requested(jsapi) {
  return new Promise((said) => {
    const fail = ({ errMsg: word = "" }) => said(word.endsWith("cancel") ? "cancel" : "fail");
    globalThis.wx.requestPayment({ ...jsapi, success: () => said("ok"), fail });
  });
}

/** A page inside a mini-program may not ask itself: the mini-program's own page does, and comes back. */
function throughMiniProgram(bridge, jsapi) {
  const url = `${NATIVE}?${new URLSearchParams(jsapi)}`;
  return new Promise((said) => bridge.invoke("invokeMiniProgramAPI", { name: "navigateTo", arg: { url } }, () => said("ok")));
}

/** Looks like WeChat's sheet and says that it is not; its buttons are the payer's thumb in the sandbox. */
function standIn(jsapi, amount) {
  return new Promise((said) => {
    const press = (result, word) => async () => {
      for (const each of node.querySelectorAll("button")) each.disabled = true;
      said((await pressed(jsapi.package, result)) ? word : "fail");
      node.close();
    };
    const node = h(
      "dialog",
      { class: "sheet", "aria-label": t("sheet.title"), onclose: () => (said("cancel"), node.remove()) },
      h("p", { class: "sheet-demo" }, t("sheet.demo")),
      h("p", { class: "sheet-title" }, icon("payment"), t("sheet.title")),
      h("p", { class: "sheet-amount" }, amount),
      button("primary", t("sheet.success"), press("success", "ok"), { class: "button button-primary sheet-pay" }),
      button("quiet", t("sheet.fail"), press("fail", "fail")),
      button("plain", t("sheet.cancel"), press("cancel", "cancel"), { class: "button button-quiet" }),
    );
    document.body.append(node);
    node.showModal();
  });
}

/** Takes the stand-in away, where it is open. */
export const closeSheet = () => document.querySelector("dialog.sheet")?.close();

async function pressed(packed, result) {
  const body = JSON.stringify({ prepay_id: packed.slice(PREPAY.length), result });
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`${sandbox}/sandbox/pay`, { method: "POST", headers, body, credentials: "omit" }).catch(() => null);
  return Boolean(answer?.ok);
}
