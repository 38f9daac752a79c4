// Shows the numbers of lines beside what is written in a field of code.
for (const area of document.querySelectorAll("textarea[data-numbered]")) {
  const numbers = document.createElement("div");
  numbers.className = "numbers";
  numbers.setAttribute("aria-hidden", "true");
  const frame = document.createElement("div");
  frame.className = "numbered";
  area.replaceWith(frame);
  frame.append(numbers, area);
  area.wrap = "off";
  const count = () => { numbers.textContent = area.value.split("\n").map((_, i) => i + 1).join("\n"); };
  area.addEventListener("input", count);
  area.addEventListener("scroll", () => { numbers.scrollTop = area.scrollTop; });
  count();
}
