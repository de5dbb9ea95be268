/* Appended to a page by the test: says whether two texts of the timeline overlap, or one leaves it. */
{
	const svg = document.querySelector("svg"), all = svg.getBoundingClientRect();
	const boxes = [...svg.querySelectorAll("text")].map((t) => [t.textContent, t.getBoundingClientRect()])
		.filter(([, box]) => box.width > 0); // some are for pages of another width
	let bad = [];
	boxes.forEach(([text, a], i) => {
		if (a.left < all.left - 1 || a.right > all.right + 1 || a.bottom > all.bottom + 1)
			bad.push("outside: " + text);
		boxes.slice(i + 1).forEach(([other, b]) => {
			if (a.left < b.right && b.left < a.right && a.top + 1 < b.bottom && b.top + 1 < a.bottom)
				bad.push(text + " / " + other);
		});
	});
	const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
	document.title = "texts=" + boxes.length + " bad=" + bad.length + " wide=" + wide + " " + bad.join(" | ");
}
