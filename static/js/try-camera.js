// A button beside a camera's address that opens it for a few seconds and shows what comes: in the admin's form, and
// among the first steps, whose field stands in an element that names the place to ask.

const box = document.querySelector("[data-try-url]");
const field = box?.querySelector("input") ?? document.querySelector("[data-try]");
if (field) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: "Try it" });
  const answer = Object.assign(document.createElement("p"), { className: "help" });
  answer.setAttribute("role", "status");
  const picture = Object.assign(document.createElement("img"), { hidden: true, width: 480, alt: "What the camera sees now" });
  field.after(button);
  (field.closest(".flex-container") ?? button).after(answer, picture);

  button.addEventListener("click", async () => {
    button.disabled = true;
    picture.hidden = true;
    answer.textContent = "Opening the camera…";
    const form = new FormData();
    form.set("url", field.value);
    form.set("slug", document.querySelector(".field-slug .readonly")?.textContent.trim() ?? "");
    const headers = { "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value };
    try {
      const place = box?.dataset.tryUrl ?? new URL("../".repeat(location.pathname.endsWith("/add/") ? 1 : 2) + field.dataset.try, location.href);
      const reply = await fetch(place, { method: "POST", body: form, headers });
      const result = await reply.json();
      answer.textContent = result.message;
      if (result.jpeg) {
        picture.src = `data:image/jpeg;base64,${result.jpeg}`;
        picture.hidden = false;
        document.dispatchEvent(new CustomEvent("camera-picture", { detail: picture.src }));
      }
    } catch {
      answer.textContent = "The server did not answer. Try again in a moment.";
    } finally {
      button.disabled = false;
    }
  });
}
