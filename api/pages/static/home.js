// Pages without a life of their own: only the switches of the head.
import { startFrame } from "./frame.js";

startFrame();
