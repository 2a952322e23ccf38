const LARGEST = { width: { ideal: 8192 }, height: { ideal: 6144 } };
const QUALITY = 0.97;

/* Give files to the page's own file chooser, as if they had been dropped there. */
function give(files) {
  const chooser = document.querySelector("[data-testid=stFileUploader] input[type=file]");
  const carrier = new DataTransfer();
  for (const file of files) carrier.items.add(file);
  chooser.files = carrier.files;
  chooser.dispatchEvent(new Event("change", { bubbles: true }));
}

function named(blob) {
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", "").replace("T", "-");
  return new File([blob], `photo-${time}.jpg`, { type: "image/jpeg" });
}

export default function ({ parentElement }) {
  const find = (selector) => parentElement.querySelector(selector);
  const [video, open, shoot, own, chooser, why] = ["video", ".open", ".shoot", ".own", "input", ".why"].map(find);
  const cameras = find(".cameras select");
  const say = (text) => { find(".spoken-here").textContent = text; };
  let stream = null;

  const close = () => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
  };
  const explain = (text) => {
    why.textContent = text;
    why.hidden = false;
  };

  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
    open.hidden = true;
    explain("A browser gives a page its camera only over https or on this computer itself, and this page is at " +
      `${location.protocol}//${location.host}. The device's own camera app works all the same, at its full resolution; or ` +
      "start “lesion app” with --certificate and --key.");
  }

  async function start(camera) {
    close();
    const which = camera ? { deviceId: { exact: camera } } : { facingMode: { ideal: "environment" } };
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { ...which, ...LARGEST } });
    } catch (error) {
      explain(error.name === "NotAllowedError"
        ? "The browser has been told to give this page no camera; allow it beside the address and try again."
        : "No camera answers; connect one, or give files.");
      return;
    }
    video.srcObject = stream;
    video.hidden = shoot.hidden = false;
    open.hidden = true;
    await video.play();
    say(`The camera gives ${video.videoWidth} x ${video.videoHeight} pixels.`);
    const known = (await navigator.mediaDevices.enumerateDevices()).filter((each) => each.kind === "videoinput");
    find(".cameras").hidden = known.length < 2;
    cameras.replaceChildren(...known.map((each, number) => new Option(each.label || `Camera ${number + 1}`, each.deviceId)));
    cameras.value = stream.getVideoTracks()[0].getSettings().deviceId ?? "";
  }

  async function photograph() {
    const [track] = stream.getVideoTracks();
    if (window.ImageCapture) {
      try {
        return await new ImageCapture(track).takePhoto();
      } catch { /* the camera takes no still pictures; a frame of its video is as good */ }
    }
    const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    return new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  }

  open.onclick = () => start(null);
  cameras.onchange = () => start(cameras.value);
  shoot.onclick = async () => {
    give([named(await photograph())]);
    say("The picture is taken.");
  };
  own.onclick = () => chooser.click();
  chooser.onchange = () => {
    if (chooser.files.length) give([...chooser.files].map(named));
    chooser.value = "";
  };
  own.hidden = !matchMedia("(pointer: coarse)").matches;
  if (own.hidden && open.hidden) own.hidden = false;
  return close;
}
