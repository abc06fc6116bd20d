(function () {
  "use strict";
  var root = document.getElementById("@ID@");
  if (!root || root.dataset.ready) return;
  root.dataset.ready = "yes";
  followTheme(root);
  var data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
  var space = "http://www.w3.org/2000/svg";
  var chosen = data.first, step = 0, timer = null;
  var picture = root.querySelector(".mgo-picture"), rows = root.querySelector(".mgo-rows");
  var bar = root.querySelector(".mgo-steps"), choice = root.querySelector(".mgo-choice");
  var calm = window.matchMedia && window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  function button(parent, text, label, action) {
    var made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    if (label) made.setAttribute("aria-label", label);
    made.addEventListener("click", action);
    parent.appendChild(made);
    return made;
  }
  function draw(name, attributes, parent) {
    var made = document.createElementNS(space, name);
    for (var key in attributes) made.setAttribute(key, attributes[key]);
    parent.appendChild(made);
    return made;
  }
  function cell(row, kind, text, style) {
    var made = document.createElement(kind);
    made.textContent = text;
    if (style) made.className = style;
    row.appendChild(made);
    return made;
  }

  picture.innerHTML = data.svg;
  var svg = picture.querySelector("svg"), layer = draw("g", { "clip-path": data.clip }, svg);
  var choices = data.runs.map(function (run, k) {
    var made = button(choice, run.name, "", function () { chosen = k; show(); });
    made.style.setProperty("--own", run.colour);
    return made;
  });
  var first = button(bar, "First", "first step", function () { go(0); });
  var back = button(bar, "Back", "one step back", function () { go(step - 1); });
  var play = button(bar, "Play", "", function () { if (timer) stop(); else start(); });
  var next = button(bar, "Next", "one step on", function () { go(step + 1); });
  var end = button(bar, "Last", "last step", function () { go(last()); });
  var count = document.createElement("output");
  count.className = "mgo-count";
  bar.appendChild(count);
  var slider = document.createElement("input");
  slider.type = "range";
  slider.min = 0;
  slider.setAttribute("aria-label", "step");
  slider.addEventListener("input", function () { go(+slider.value); });
  bar.appendChild(slider);

  function last() { return data.runs[chosen].steps.length; }
  function stop() { clearInterval(timer); timer = null; play.textContent = "Play"; }
  function start() {
    if (step >= last()) step = 0;
    play.textContent = "Pause";
    timer = setInterval(function () { if (step < last()) { step += 1; show(); } else stop(); }, calm ? 1200 : 450);
    show();
  }
  function go(to) { stop(); step = to; show(); }
  function line(points, run, own) {
    draw("polyline", { points: points.map(function (p) { return p.join(","); }).join(" "), class: "path",
      stroke: run.colour, "stroke-width": own ? 2.6 : 1.3, "stroke-dasharray": own ? "" : run.dash,
      opacity: own ? 1 : 0.7 }, layer);
  }
  function show() {
    var run = data.runs[chosen];
    step = Math.max(0, Math.min(step, last()));
    layer.textContent = "";
    data.runs.forEach(function (other, k) { if (k !== chosen) line(other.points, other, false); });
    line(run.points.slice(0, step + 1), run, true);
    run.points.slice(0, step + 1).forEach(function (p, i) {
      draw("circle", { cx: p[0], cy: p[1], r: i === step ? 6 : 2.6, class: i === step ? "here" : "", fill: run.colour,
        stroke: run.colour, "stroke-width": i === step ? 3 : 0 }, layer);
    });
    choices.forEach(function (made, k) { made.setAttribute("aria-pressed", String(k === chosen)); });
    first.disabled = back.disabled = step === 0;
    next.disabled = end.disabled = step === last();
    count.textContent = step + " / " + last();
    slider.max = last();
    slider.value = step;
    slider.setAttribute("aria-valuetext", "step " + step + " of " + last());
    table(run);
    keep(root);
  }
  function table(run) {
    var made = document.createElement("table"), caption = document.createElement("caption");
    made.appendChild(caption);
    caption.textContent = run.name + ", rate " + run.rate + ": " + (step ? "step t = " + step : "the start") +
      ", J = " + run.losses[step];
    var body = document.createElement("tbody");
    made.appendChild(body);
    var heading = document.createElement("tr");
    heading.className = "mgo-head";
    ["", "", "x", "y"].forEach(function (name, i) { cell(heading, i < 2 ? "td" : "th", name, i < 2 ? "" : "mgo-n"); });
    body.appendChild(heading);
    var found = step ? run.steps[step - 1] : [["θ", "", run.start]];
    found.forEach(function (entry, i) {
      var row = document.createElement("tr");
      if (i === found.length - 1) row.className = "mgo-last";
      cell(row, "th", entry[0]).scope = "row";
      cell(row, "td", entry[1], "mgo-f");
      cell(row, "td", entry[2][0], "mgo-n");
      cell(row, "td", entry[2][1], "mgo-n");
      body.appendChild(row);
    });
    rows.textContent = "";
    rows.appendChild(made);
  }
  function choose(by) { chosen = (chosen + by + data.runs.length) % data.runs.length; show(); }
  listen(root, function (key) {
    return { ArrowRight: function () { go(step + 1); }, ArrowLeft: function () { go(step - 1); },
      Home: function () { go(0); }, End: function () { go(last()); },
      ArrowUp: function () { choose(-1); }, ArrowDown: function () { choose(1); } }[key];
  });
  root.querySelector(".mgo-hint").textContent = "Keys: ← → one step, Home and End, ↑ ↓ another optimizer.";
  rows.setAttribute("aria-live", "polite");
  show();
})();
