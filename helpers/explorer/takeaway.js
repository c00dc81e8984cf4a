// A button that fetches a file from the kernel and hands it to the browser.
function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "sx";
  const button = document.createElement("button");
  const said = document.createElement("span");
  button.type = "button";
  said.setAttribute("role", "status");
  root.append(button, " ", said);
  el.append(root);
  const label = () => {
    button.textContent = model.get("label");
    said.textContent = model.get("says");
  };
  label();
  button.addEventListener("click", () => model.send({ want: "file" }));
  const got = (message, buffers) => {
    const bytes = buffers[0].buffer ? buffers[0] : new Uint8Array(buffers[0]);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes], { type: message.type }));
    link.download = message.name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  model.on("msg:custom", got);
  model.on("change:label change:says", label);
  return () => {
    model.off("msg:custom", got);
    model.off("change:label change:says", label);
  };
}

export default { render };
