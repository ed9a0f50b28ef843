// Search only: without scripts all else on the page works, and the browser's own search finds what is folded.
for (const bar of document.querySelectorAll(".tools")) {
  const problems = [...bar.parentElement.querySelectorAll(".problem")];
  const [box, count] = [bar.querySelector("input[type=search]"), bar.querySelector("output")];
  let texts;
  bar.querySelector(".scripted").hidden = false;
  box.addEventListener("input", () => {
    texts ??= problems.map((problem) => problem.textContent.toLowerCase());
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    problems.forEach((problem, i) => {
      const found = words.every((word) => texts[i].includes(word));
      problem.hidden = !found;
      n += found;
    });
    count.textContent = words.length ? `${n} of ${problems.length} found` : "";
  });
  for (const [name, open] of [["unfold", true], ["fold", false]]) {
    bar.querySelector(`.${name}`).addEventListener("click", () => {
      for (const problem of problems) if (!problem.hidden || !open) problem.open = open;
    });
  }
}
