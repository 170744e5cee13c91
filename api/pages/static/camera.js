// The camera as the second way in: the browser's own detector where there is one, else frames to our decoder,
// one at a time. Says why when it cannot be used.
import { h, show } from "./dom.js";
import { NoAnswer, Refused } from "./http.js";
import { t } from "./language.js";
import { decode } from "./scanner-api.js";

const WIDTH = 640;
const HEIGHT = 480;
const PAUSE = 120; // ms between frames

export class Camera {
  /** `found(text)` gets each new code once; `said(text)` hears what the camera is doing. */
  constructor({ place, found, said }) {
    Object.assign(this, { place, found, said, on: false });
  }

  async start() {
    this.on = true;
    this.last = "";
    this.said(t("camera.starting"));
    try {
      if (!globalThis.isSecureContext || !navigator.mediaDevices) throw new DOMException("", "InsecureContext");
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } },
      });
      if (!this.on) return this.stop();
      await this.open();
    } catch (error) {
      this.stop();
      this.said(blocked(error), true);
    }
  }

  stop() {
    this.on = false;
    clearTimeout(this.next);
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    show(this.place);
  }

  async open() {
    this.video = h("video", {
      class: "camera-picture",
      playsinline: true,
      muted: true,
      "aria-label": t("camera.picture"),
    });
    this.video.muted = true;
    this.video.srcObject = this.stream;
    for (const track of this.stream.getTracks())
      track.addEventListener("ended", () => this.on && (this.stop(), this.said(t("camera.lost"), true)));
    show(this.place, this.video);
    await this.video.play();
    this.read = await reader(this.video);
    this.said(t("camera.on"));
    this.look();
  }

  async look() {
    if (!this.on) return;
    let pause = PAUSE;
    try {
      const text = this.video.videoWidth ? await this.read() : null;
      if (text && text !== this.last && this.on) {
        this.last = text;
        this.found(text);
      }
    } catch (error) {
      if (!(error instanceof NoAnswer || error instanceof Refused)) throw error;
      if (error.status === 401) return this.stop();
      pause = error.retryAfter * 1000 || 2000;
      this.said(t(error.status === 429 ? "camera.busy" : "camera.no-answer"));
    }
    this.next = setTimeout(() => this.look(), pause);
  }
}

/** A function that gives the text in the present picture, or null. */
async function reader(video) {
  if (globalThis.BarcodeDetector && (await BarcodeDetector.getSupportedFormats()).includes("qr_code")) {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async () => (await detector.detect(video))[0]?.rawValue ?? null;
  }
  const canvas = document.createElement("canvas");
  const paper = canvas.getContext("2d", { willReadFrequently: true });
  return () => {
    const gray = grayFrame(video, canvas, paper);
    return decode(gray, canvas.width, canvas.height);
  };
}

/** The picture's middle at up to 640 × 480, one byte of luma a pixel (ITU-R BT.601). */
function grayFrame(video, canvas, paper) {
  const scale = Math.max(WIDTH / video.videoWidth, HEIGHT / video.videoHeight);
  const shrink = Math.min(1, scale);
  canvas.width = Math.min(WIDTH, Math.floor(video.videoWidth * shrink));
  canvas.height = Math.min(HEIGHT, Math.floor(video.videoHeight * shrink));
  const [cutWidth, cutHeight] = [canvas.width / shrink, canvas.height / shrink];
  const [left, top] = [(video.videoWidth - cutWidth) / 2, (video.videoHeight - cutHeight) / 2];
  paper.drawImage(video, left, top, cutWidth, cutHeight, 0, 0, canvas.width, canvas.height);
  const { data } = paper.getImageData(0, 0, canvas.width, canvas.height);
  const gray = new Uint8Array(canvas.width * canvas.height);
  for (let pixel = 0, at = 0; pixel < gray.length; pixel += 1, at += 4) {
    gray[pixel] = (299 * data[at] + 587 * data[at + 1] + 114 * data[at + 2]) / 1000;
  }
  return gray;
}

function blocked({ name }) {
  if (name === "InsecureContext") return t("camera.insecure");
  if (name === "NotAllowedError" || name === "SecurityError") return t("camera.denied");
  if (name === "NotFoundError" || name === "OverconstrainedError") return t("camera.absent");
  if (name === "NotReadableError") return t("camera.taken");
  return t("camera.failed");
}
