/** The camera and the microphone, and what to tell a person when they are not to be had. */

/** Wide, as the tile in a call is, and light enough for a few connections at once. */
const VIDEO = { width: { ideal: 960 }, height: { ideal: 540 } };

/**
 * Asks for camera and microphone; when one of them is missing or taken, for the other alone. Resolves with
 * `{ stream, problem }`: `stream` is null when there is neither, `problem` a sentence for people or null.
 */
export async function openMedia() {
  if (!navigator.mediaDevices?.getUserMedia) {
    return { stream: null, problem: "This page needs a secure (https) address to use the camera and microphone." };
  }
  let problem = null;
  for (const wanted of [{ audio: true, video: VIDEO }, { video: VIDEO }, { audio: true }]) {
    try {
      return { stream: await navigator.mediaDevices.getUserMedia(wanted), problem };
    } catch (error) {
      problem ??= explain(error);
      // A person who said no is not asked again.
      if (error.name === "NotAllowedError" || error.name === "SecurityError") break;
    }
  }
  return { stream: null, problem };
}

/** Whether this browser can share a screen; those of phones cannot. */
export const canShareScreen = Boolean(navigator.mediaDevices?.getDisplayMedia);

/** Asks for a screen; null when the person thought better of it. */
export async function openScreen() {
  try {
    return await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false });
  } catch (error) {
    if (error.name === "NotAllowedError" || error.name === "AbortError") return null;
    throw error;
  }
}

const BLOCKED =
  "Camera and microphone are blocked. You can still see and hear the others; to be seen, allow them in the browser’s " +
  "address bar.";

function explain(error) {
  switch (error.name) {
    case "NotAllowedError":
    case "SecurityError":
      return BLOCKED;
    case "NotFoundError":
    case "OverconstrainedError":
      return "A camera or microphone is missing on this device. You can still join with what there is.";
    case "NotReadableError":
    case "AbortError":
      return "Another program is using the camera or microphone. Close it, then try again.";
    default:
      return "The camera and microphone did not start. You can still see and hear the others.";
  }
}
