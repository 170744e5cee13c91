// One attempt to create something, in parts of the page that are fetched later.
import { attemptName, passing } from "./http.js";
import { mine } from "./patient-api.js";

/** Something to be created once: sent again after no answer, it is the same attempt under the same name. */
export class Attempt {
  async send(path, body, more) {
    const sent = path + JSON.stringify(body);
    if (this.sent !== sent) Object.assign(this, { sent, name: attemptName() });
    try {
      return await mine("POST", path, body, { headers: { "Idempotency-Key": this.name }, ...more });
    } catch (error) {
      if (!passing(error) && error.code !== "idempotency-in-progress") this.sent = null;
      throw error;
    }
  }
}
