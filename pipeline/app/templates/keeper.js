/* What goes on beside the page: results are spoken, pasted images are taken, leaving with images is asked about, and a
   server that has ended is named as what it is. */

const ENDED = "The program that serves this page has ended or can't be reached. Start “lesion app” again, then reload; " +
  "images that were loaded have to be given again.";

/* Give files to the page's own file chooser, as if they had been dropped there. */
function give(files) {
  const chooser = document.querySelector("[data-testid=stFileUploader] input[type=file]");
  if (!chooser || !files.length) return false;
  const carrier = new DataTransfer();
  for (const file of files) carrier.items.add(file);
  chooser.files = carrier.files;
  chooser.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

function pasted(event) {
  const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
  if (!files.length) return;
  const time = new Date().toISOString().slice(11, 19).replaceAll(":", "");
  const named = files.map((file, number) => {
    const suffix = file.type.split("/")[1].replace("jpeg", "jpg");
    const name = /^image\.\w+$/.test(file.name) ? `pasted-${time}${number ? `-${number}` : ""}.${suffix}` : file.name;
    return new File([file], name, { type: file.type });
  });
  if (give(named)) event.preventDefault();
}

function nameTheEnd() {
  for (const dialog of document.querySelectorAll('[role="dialog"]')) {
    const texts = document.createTreeWalker(dialog, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const text = texts.currentNode;
      if (/internet|Streamlit server/i.test(text.data)) text.data = ENDED; // which holds neither word
    }
  }
}

/* Streamlit's drop area has a name and says that it is none to speak of; it is a group. */
function nameTheDropArea() {
  for (const area of document.querySelectorAll('section[role="presentation"][aria-label]')) area.setAttribute("role", "group");
}

function look() {
  nameTheEnd();
  nameTheDropArea();
}

export default function ({ data: [data], parentElement }) {
  const live = parentElement.querySelector(".spoken");
  if (live.textContent !== data.spoken) live.textContent = data.spoken;
  const ask = (event) => { if (data.asks) event.preventDefault(); };
  const watch = new MutationObserver(look);
  document.addEventListener("paste", pasted);
  window.addEventListener("beforeunload", ask);
  look();
  watch.observe(document.body, { childList: true, subtree: true });
  return () => {
    document.removeEventListener("paste", pasted);
    window.removeEventListener("beforeunload", ask);
    watch.disconnect();
  };
}
