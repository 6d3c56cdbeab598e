// The explorer of Visavis: maps of faces to look at, select by eye and save. Its only requests are pictures beside it.
(() => {
'use strict'
let {abs, ceil, cos, floor, max, min, round, sin, sqrt} = Math, {assign} = Object
let app = document.getElementById('explorer-app'), ui = {}
for (let part of app.querySelectorAll('[id]')) ui[part.id.slice(9)] = part
let {canvas, card} = ui, pen = canvas.getContext('2d')
let clamp = (value, low, high) => min(high, max(low, value)), count = number => number.toLocaleString('en')
// An element, as tag.class, of these parts.
function make(what, ...children) {
	let [tag, className = ''] = what.split('.'), made = assign(document.createElement(tag), {className})
	made.append(...children)
	return made
}
let bdi = text => make('bdi', text), say = text => ui.said.textContent = text, note = id => ui[id].hidden = false

// -- The data. What is missing or of a wrong size is left out, and said.
let list = value => Array.isArray(value) ? value : [], word = (value, otherwise) => typeof value == 'string' && value || `${otherwise}`
let data = {}
try {
	data = {...JSON.parse(document.getElementById('visavis-explorer').textContent)}
} catch {}
ui.notes.append(...list(data.notes).map(text => make('li', bdi(text))))
let ids = list(data.images).map(word), N = ids.length, rows = [...ids.keys()]
function read(Kind, coded, each, what) {
	try {
		let raw = Uint8Array.fromBase64?.(coded) ?? Uint8Array.from(atob(coded), sign => sign.charCodeAt())
		if (raw.length == N*each*Kind.BYTES_PER_ELEMENT) return new Kind(raw.buffer)
	} catch {}
	note('broken')
	ui.lost.append(bdi(what), ' ')
}
let items = (of, Kind, each, made) => list(of).flatMap((one, nth) => {
	let name = word(one?.name, nth), values = read(Kind, one?.of, each || one?.k | 0, name)
	return values ? made({...one, name, nth}, values) : []
})
// `of` has the class of each face from 1, or 0 for none.
let classed = (name, codes, names, isQuantity) => ({
	name, isQuantity, names: names = list(names).map(word), isBinary: names.join() == 'no,yes',
	of: new Uint16Array(codes).map(code => code < names.length ? code + 1 : 0),
})
let [attributes, comparisons, clusters] = ['attributes', 'comparisons', 'clusters'].map((what, wide) =>
	items(data[what], wide < 2 ? Uint8Array : Uint16Array, 1, (one, of) => classed(one.name, of, one.values)))
let quantities = items(data.quantities, Float32Array, 1, ({name, values, low, step}, of) => {
	let bins = of.map(value => isFinite(value) ? min(9, floor((value - low)/step)) : 99)
	return {name, of, bins: classed(name, bins, values, true)}
})
let neighbours = items(data.neighbours, N < 65535 ? Uint16Array : Uint32Array, 0, (one, of) => ({...one, of}))
let views = items(data.views, Uint16Array, 2, (one, of) => {
	let place = i => of[2*i] + of[2*i + 1] < 131070 ? {x: of[2*i]/65534, y: of[2*i + 1]/65534} : null, at
	return {...one, key: `${one.name}/${one.nth}`, placed: {}, get at() { return at ||= rows.map(place) }}
})
let identities = data.identities && read(Uint32Array, data.identities, 1, 'identities') || rows

// -- Pictures. The face of row i is cell i of the sheets, for ever. A sheet comes when a face of it is wanted.
// A canvas keeps the last faces.
let {cell, columns} = data, perSheet = columns*data.rows, sheets = views[0] && cell > 2 && perSheet > 0 ? list(data.sheets) : []
let wanted = new Map(), coming = new Set(), slots = new Map(), late = [], limit = 0, most = min(N, 4096**2/cell**2 | 0)
let spot = (nth, wide) => [nth % wide*cell, floor(nth/wide)*cell], kept = assign(make('canvas'), {width: 64*cell, height: ceil(most/64)*cell})
function keep(face, sheet) {
	let [[old, slot]] = slots.size < most ? [[-1, slots.size]] : slots, from = spot(face % perSheet, columns)
	if (from[1] + cell > sheet.height) throw face
	kept.getContext('2d').drawImage(sheet, ...from, cell, cell, ...spot(slot, 64), cell, cell)
	slots.delete(old)
	slots.set(face, slot)
}
function bring() {
	for (let [nth, faces] of wanted) if (coming.size < limit && !coming.has(nth)) {
		let sheet = assign(new Image(), {src: sheets[nth]})
		coming.add(nth)
		new Promise((onload, onerror) => assign(sheet, {onload, onerror})).then(() => createImageBitmap(sheet)).then(bitmap => {
			for (let face of faces) slots.has(face) || keep(face, bitmap)
			bitmap.close()
		}).catch(() => note('unreadable', sheets[nth] = 0)).then(() => {
			coming.delete(nth)
			wanted.delete(nth)
			bring()
			redraw()
		})
	}
}
// Without the outermost pixel, which JPEG mixes with the next cell.
function picture(onto, face, x, y, side, edge) {
	let nth = floor(face/perSheet), slot = slots.get(face)
	if (slot == null) return void (sheets[nth] && wanted.set(nth, [...wanted.get(nth) || [], face]))
	let [left, top] = spot(slot, 64)
	onto.fillRect(x - edge, y - edge, side + 2*edge, side + 2*edge)
	onto.drawImage(kept, left + 1, top + 1, cell - 2, cell - 2, x, y, side, side)
	return true
}

// -- Places, in the unit square.
// Procrustes: by rotation and mirror.
function turned(at, onto) {
	let both = rows.filter(i => at[i] && onto[i]), mean = of => both.reduce((sum, i) => sum + of(at[i], onto[i]), 0)/both.length
	let joint = (one, other) => mean((a, b) => a[one]*b[other]) - mean(a => a[one])*mean((a, b) => b[other])
	let xx = joint('x', 'x'), xy = joint('x', 'y'), yx = joint('y', 'x'), yy = joint('y', 'y'), mirror = xx*yy < xy*yx ? -1 : 1
	let angle = Math.atan2(xy - mirror*yx, xx + mirror*yy) || 0, c = cos(angle), s = sin(angle)
	at = at.map(p => p && {x: c*p.x - s*mirror*p.y, y: s*p.x + c*mirror*p.y})
	let ends = ['x', 'y'].map(axis => at.reduce(([low, high], p) => p ? [min(low, p[axis]), max(high, p[axis])] : [low, high], [9e9, -9e9]))
	let most = max(...ends.map(([low, high]) => high - low)), fit = (value, [low, high]) => .5 + ((value - (low + high)/2)/most || 0)
	return at.map(p => p && {x: fit(p.x, ends[0]), y: fit(p.y, ends[1])})
}
// Faces on free places of a lattice.
function spreadOut(at) {
	let side = floor(sqrt(6*N)) + 1, taken = new Set(), out = rows.map(() => null), tried = []
	for (let i of rows) if (at[i]) {
		let near = (at[i].x*side >> 3)*side + (at[i].y*side >> 3), n = tried[near] | 0, x, y
		do {
			let far = .4*sqrt(n), angle = n++*2.4
			x = clamp(floor(at[i].x*side + far*cos(angle)), 0, side - 1)
			y = clamp(floor(at[i].y*side + far*sin(angle)), 0, side - 1)
		} while (taken.has(y*side + x))
		tried[near] = n
		taken.add(y*side + x)
		out[i] = {x: (x + .5)/side, y: (y + .5)/side}
	}
	return out
}
function places(view, beside, isSpread) {
	let key = beside.key + isSpread, flat = view.placed[key] || (view.turns && view != beside ? turned(view.at, beside.at) : view.at)
	return view.placed[key] ||= isSpread ? spreadOut(flat) : flat
}
let placesOf = pane => places(pane.view, main.view, ui.spread.checked)

// -- Colours and shapes of the report's figures.
let [palette, scale] = [data.colours, data.scale].map(list)
let sources = new Map()
let scratch = assign(make('canvas'), {width: 32, height: 32}).getContext('2d', {willReadFrequently: true})
let ink, ground, accent, soft, patterns, source, codes, classes, groundWord
function offer(label, found) {
	for (let one of found) sources.set(`${label}:${one.name}`, one)
	if (found.length) ui.colour.append(assign(make('optgroup', ...found.map(one => new Option(one.name, `${label}:${one.name}`))), {label}))
}
offer('Comparisons', comparisons)
offer('Attributes', attributes)
offer('Quantities', quantities.map(one => one.bins))
offer('Clusters', clusters)
// Pixels of a dot: [right, down, colour].
function stamp(colour, sign, radius, strength) {
	assign(scratch, {globalAlpha: 1, fillStyle: ground}).fillRect(0, 0, 32, 32)
	assign(scratch, {globalAlpha: strength, fillStyle: colour, font: `${3*radius}px sans-serif`, textAlign: 'center', textBaseline: 'middle'}).fillText(sign, 16, 16)
	let words = [...new Uint32Array(scratch.getImageData(0, 0, 32, 32).data.buffer)]
	groundWord = words[0]
	return words.flatMap((word, n) => word == groundWord ? [] : [[n % 32 - 16, (n >> 5) - 16, word]])
}
function recolour() {
	({color: ink, backgroundColor: ground, caretColor: accent, columnRuleColor: soft} = getComputedStyle(canvas))
	patterns = {}
	stamp(ink, '●', 1, 1)
	source = sources.get(ui.colour.value)
	let {of = new Uint16Array(N), isQuantity, names = []} = source || {}, counts = [0, ...names].fill(0)
	codes = of
	classes = [{colour: source ? soft : accent, sign: '●'}, ...names.map((name, nth) =>
		({name, sign: '●◆▲■▼✦★'[isQuantity ? 0 : nth % 7], colour: isQuantity ? scale[nth] : palette[nth % palette.length]}))]
	for (let i of there(main)) counts[codes[i]]++
	ui.legend.replaceChildren(...classes.slice(1).map(({name, sign, colour}, nth) => {
		let mark = make('i', sign), onclick = event => choose(howOf(event), 'c', nth + 1, ui.colour.value)
		mark.style.color = colour
		return assign(make('button', mark, bdi(name), make('small', count(counts[nth + 1]))), {onclick})
	}), make('small', source ? `unknown ${count(counts[0])}` : ''))
	redraw()
}

// -- Drawing, in pixels. A pane has x, y of the map in its middle, z times enlarged.
let panes = [[ui.map, 'xyz'], [ui.second, 'XYZ']].map(([field, keys]) => ({field, keys, x: .5, y: .5, z: 1})), main = panes[0], open = () => panes.filter(pane => pane.view)
let pinned = -1, hovered = -1, face = () => hovered < 0 ? pinned : hovered; // whose card is open, who is pointed at
let picked = new Uint8Array(N), chosen = 0, shown, condition, queue = rows, steps = [], drag, active, dpr = 1, pixels, words, isDue
let weight = i => !shown[i] ? 0 : picked[i] || !chosen ? 2 : 1
let there = pane => rows.filter(i => shown[i] && pane.view.at[i])
let toScreen = ({mid, x, y, scale}, p) => ({x: round(mid.x + (p.x - x)*scale), y: round(mid.y - (p.y - y)*scale)})
let toMap = ({mid, x, y, scale}, p) => ({x: x + (p.x - mid.x)/scale, y: y - (p.y - mid.y)/scale})
let isIn = (pane, p, room) => abs(p.x - pane.mid.x) < pane.w/2 + room && abs(p.y - pane.mid.y) < pane.h/2 + room
let away = (a, b) => Math.hypot(a.x - b.x, a.y - b.y), apart = (a, b) => max(abs(a.x - b.x), abs(a.y - b.y))
let redraw = () => isDue ||= requestAnimationFrame(draw)
function measure() {
	dpr = min(2, devicePixelRatio)
	let [width, height] = [canvas.clientWidth, canvas.clientHeight].map(size => round(size*dpr) || 1)
	let [w, h] = !panes[1].view ? [width, height] : width >= 600*dpr ? [width >> 1, height] : [width, height >> 1]
	assign(canvas, {width, height})
	pixels = pen.createImageData(width, height)
	words = new Uint32Array(pixels.data.buffer)
	panes.forEach((pane, nth) => {
		let left = nth*(width - w), top = nth*(height - h)
		look(assign(pane, {w, h, left, top, mid: {x: left + w/2, y: top + h/2}}), pane.x, pane.y, pane.z)
	})
}
function dots(pane) {
	let {left, top, w, h, seen} = pane, {width} = pixels, radius = round(clamp(pane.spacing*.22, 1.5*dpr, 4.5*dpr)*4)/4
	let pattern = patterns[radius] ??= [
		classes.map(one => stamp(soft, one.sign, radius, .25)),
		classes.map((one, nth) => stamp(one.colour, one.sign, radius, source && !nth ? .5 : 1)),
	]
	for (let n = N; n--;) {
		let i = queue[n], p = seen[i]
		if (p && isIn(pane, p, 16)) for (let [right, down, colour] of pattern[+(weight(i) > 1)][codes[i]]) {
			let x = p.x + right, y = p.y + down
			if (x >= left && x < left + w && y >= top && y < top + h) words[y*width + x] = colour
		}
	}
}
function faces(pane) {
	let {scale, seen, spacing} = pane, at = placesOf(pane), isAll = spacing >= 28*dpr, held = new Map()
	let width = 2**-floor(Math.log2(scale/26/dpr)), tile = value => floor(value/width); // 26 to 52 pixels
	let side = pane.side = round(isAll ? clamp(spacing*.9, 28*dpr, 96*dpr) : width*scale - 4*dpr)
	pane.isDots = ui.dots.checked || !sheets.length || scale < 150*dpr
	// Where faces would overlap, the first is drawn.
	let isFree = p => {
		let key = tile(p.x)*65536 + tile(p.y)
		for (let near = 0; near < 9; near++) {
			let other = held.get(key + (near % 3 - 1)*65536 + floor(near/3) - 1)
			if (other && apart(other, p) < width) return false
		}
		return held.set(key, p)
	}
	let of = [isAll || width, at, queue, shown]
	if (!pane.isDots && of.some((one, nth) => one != pane.of?.[nth])) assign(pane, {of, free: queue.filter(i => at[i] && shown[i] && (isAll || isFree(at[i])))})
	pane.drawn = pane.isDots ? [] : pane.free.filter(i => isIn(pane, seen[i], side/2)).slice(0, 3e3).reverse()
	for (let i of pane.drawn) {
		let isDim = weight(i) < 2, {colour, sign} = classes[codes[i]], isMarked = codes[i] && !isDim, x = seen[i].x - (side >> 1), y = seen[i].y - (side >> 1)
		let edge = isMarked || chosen ? 2 : 1
		assign(pen, {fillStyle: isDim ? ground : edge > 1 ? colour : soft, globalAlpha: isDim ? .25 : 1})
		picture(pen, i, x, y, side, round(edge*dpr))
		pen.globalAlpha = 1
		if (isMarked && !source.isQuantity && side > 30*dpr) write(sign, x + side - 12*dpr, y + side, colour)
	}
}
function write(text, x, y, fillStyle) {
	assign(pen, {fillStyle, strokeStyle: ground, lineWidth: 4*dpr, lineJoin: 'round', font: `${13*dpr}px system-ui, sans-serif`}).strokeText(text, x, y)
	pen.fillText(text, x, y)
}
function trace(ring) {
	pen.beginPath()
	for (let p of ring) pen.lineTo(p.x, p.y)
	pen.closePath()
	assign(pen, {strokeStyle: accent, fillStyle: accent, lineWidth: 1.5*dpr, globalAlpha: .12}).fill()
	assign(pen, {globalAlpha: 1}).stroke()
}
function draw() {
	let ends = []
	isDue = 0
	wanted.clear()
	words.fill(groundWord)
	for (let pane of open()) {
		pane.spacing = pane.scale*.7/sqrt(N);
		pane.seen = placesOf(pane).map(p => p && toScreen(pane, p))
		dots(pane)
	}
	pen.putImageData(pixels, 0, 0)
	for (let pane of open()) {
		let {left, top, w, h, view, seen: {[face()]: p}} = pane
		pen.save()
		pen.beginPath()
		pen.rect(left, top, w, h)
		pen.clip()
		faces(pane)
		if (p) {
			let side = max(56*dpr, pane.side & ~1)
			ends.push(p)
			assign(pen, {strokeStyle: accent, fillStyle: accent, lineWidth: 3*dpr})
			if (pane.isDots || !picture(pen, face(), p.x - side/2, p.y - side/2, side, 3*dpr)) pen.strokeRect(p.x - 8*dpr, p.y - 8*dpr, 16*dpr, 16*dpr)
		}
		write(`\u2068${view.name}\u2069`, left + 10*dpr, top + 18*dpr, ink)
		write(view.axes, left + 10*dpr, top + h - 10*dpr, ink)
		pen.restore()
	}
	if (ends[1]) trace(ends)
	if (drag?.ring) trace(drag.ring)
	late = late.filter(paint => !paint())
	bring()
}

// -- Conditions, as in study files
// A function of the face: true, false, or null without a label. Throws [column, why].
function compile(text) {
	const WORD = '[\\p{Alphabetic}\\p{N}_.+-]', NAME = `(?!(?:and|or|not)(?!${WORD}))(?:"([^"]*)"|(${WORD}+))`
	let at = text.search(/\S|$/), depth = 0
	let wrong = (why, where = at) => { throw [[...text.slice(0, where)].length + 1, why]; }
	let take = (pattern, what) => {
		let found = text.slice(at).match(RegExp(`^(?:${pattern})\\s*`, 'u'))
		if (!found && what) wrong(`expected ${what}`)
		at += found ? found[0].length : 0
		return found && (found[1] ?? found[2] ?? found[0].trim())
	}
	let chain = (word, part, decides) => {
		let parts = [part()]
		while (take(`${word}(?!${WORD})`)) parts.push(part())
		return face => {
			let held = parts.map(holds => holds(face))
			return held.includes(null) ? null : held.includes(decides) == decides
		}
	}
	let either = () => chain('or', () => chain('and', factor, false), true)
	let factor = () => {
		if (depth++ == 24) wrong('nested too deeply')
		let isNot = take(`not(?!${WORD})`), inner = isNot ? factor() : take('\\(') ? either() : null
		if (inner && !isNot) take('\\)', ')')
		depth--
		return isNot ? face => inner(face) == null ? null : !inner(face) : inner || leaf()
	}
	let leaf = () => {
		let start = at, name = take(NAME, 'the name of an attribute'), byName = one => one.name == name, attribute = attributes.find(byName)
		let {of, names, isBinary} = attribute || quantities.find(byName) || wrong(`there is no attribute ${name}`, start)
		let sign = attribute ? take('[=:]', !isBinary && '= and one of its values') : take('[<>]=?|[=:≤≥]', '< or >, for it is a quantity')
		let where = at, value = sign && take(NAME, 'a value')
		if (attribute) {
			let yes = isBinary && (value ?? 'yes').match(/^(?:(1(\.0)?|yes|true)|(-1|0)(\.0)?|no|false)$/i)
			let code = yes ? yes[1] ? 2 : 1 : names.indexOf(value) + 1 || wrong(`no label of ${name} is ${value}`, where)
			return face => of[face] ? of[face] == code : null
		}
		let limit = Math.fround(value || NaN), side = /[>≥]/.test(sign) - /[<≤]/.test(sign), isSame = /[=:≤≥]/.test(sign)
		if (isNaN(limit)) wrong('expected a number', where)
		return face => isNaN(of[face]) ? null : of[face] == limit ? isSame : Math.sign(of[face] - limit) == side
	}
	let whole = either()
	take('$', 'and, or, or the end')
	return whole
}
function holding(text) {
	let holds = text.trim() ? compile(text) : () => true
	return new Uint8Array(rows.map(face => holds(face) ? 1 : 0))
}

// -- The selection. Steps make it again: [how and kind (face, query, class, polygon), condition, …].
let viewOf = key => views.find(view => view.key == key)
function apply(step) {
	try {
		let [[how, kind], , what, ...more] = step, within = step[1] == condition ? shown : holding(step[1])
		let at = kind == 'p' && places(viewOf(what), viewOf(more[0]), more[1] == 'true'), path = new Path2D()
		if (at) more[2].split(' ').forEach(pair => path.lineTo(...pair.split('_')))
		let means = {
			f: i => i == what,
			q: i => viewOf(what).at[i],
			c: i => sources.get(more[0]).of[i] == what,
			p: i => at[i] && pen.isPointInPath(path, at[i].x, at[i].y), // non-zero winding
		}[kind], hits = rows.filter(i => within[i] && means(i))
		if (how == 'n') clear()
		for (let i of hits) picked[i] = how == 't' ? 0 : 1
		steps.push(step)
	} catch {} // an address may hold anything
}
let howOf = event => event.shiftKey ? 'a' : event.altKey ? 't' : ui.how.value
function choose(how, kind, ...more) {
	apply([how + kind, condition, ...more].map(String))
	tell()
}
function clear() {
	picked.fill(0)
	steps = []
}
function tell() {
	chosen = picked.filter(one => one).length
	ui.count.textContent = `${count(chosen)} of ${count(N)} selected`
	queue = [2, 1, 0].flatMap(wanted => rows.filter(i => weight(i) == wanted))
	makeup()
	changed()
}
// The 24 corners that matter most.
function simplified(ring) {
	let area = (p, a, b) => abs((b.x - a.x)*(p.y - a.y) - (b.y - a.y)*(p.x - a.x))
	while (ring.length > 24) {
		let areas = ring.map((p, n) => area(p, ring.at(n - 1), ring[n + 1] || ring[0]))
		ring.splice(areas.indexOf(min(...areas)), 1)
	}
	return ring
}

// -- Make-up
let percent = share => round(100*share)
function wilson(share, n) {
	let z = 3.841459/n, half = sqrt(z*share*(1 - share) + z*z/4)
	return [-half, half].map(off => percent((share + z/2 + off)/(1 + z))).join('–')
}
function makeup() {
	ui.makeup.hidden = !chosen
	if (!chosen) return
	let sides = [rows.filter(i => picked[i]), there(main).filter(i => !picked[i])], met = new Uint32Array(N), time = 0
	let lines = attributes.flatMap(({name, names, of, isBinary}) => {
		let tallies = sides.map(side => {
			let counts = [0, ...names].fill(0), people = 0
			time++
			for (let i of side) {
				let who = identities[i]
				counts[of[i]]++
				if (of[i] && met[who] != time) met[who] = time, people++
			}
			return {counts, people, all: side.length - counts[0]}
		})
		return names.flatMap((value, nth) => {
			let shares = tallies.map(({counts, all}) => counts[nth + 1]/all), by = shares[0] - shares[1]
			if (isBinary && !nth || isNaN(by)) return []
			let cells = tallies.map(({counts, people, all}, of) => make('td.number', assign(make('meter'), {value: shares[of]}), `${percent(shares[of])} % `,
				make('small', `(${wilson(shares[of], people)}) · ${count(counts[nth + 1])} of ${count(all)}`)))
			let head = make('th', bdi(isBinary ? name : `${name}: ${value}`)), points = make('td.number', (by < 0 ? '−' : '+') + percent(abs(by)))
			return {by: abs(by), row: make(min(...tallies.map(one => one.people)) < 30 ? 'tr.few' : 'tr', head, ...cells, points)}
		})
	})
	ui.lines.replaceChildren(...lines.sort((a, b) => b.by - a.by).map(line => line.row))
}

// -- The card of a face
function thumbnail(face, side) {
	let small = assign(make('canvas'), {width: side, height: side})
	late.push(() => picture(small.getContext('2d'), face, 0, 0, side, 0))
	return sheets[floor(face/perSheet)] ? small : bdi(ids[face])
}
function showCard() {
	late = []
	let i = face(), lines = [], names = list(data.identity_names), add = (what, value) => lines.push(make('dt', bdi(what)), make('dd', bdi(value)))
	redraw()
	if (i < 0) return card.replaceChildren(ui.hint)
	if (names[identities[i]]) add('identity', names[identities[i]])
	for (let {name, names, of} of [...comparisons, ...attributes]) if (of[i] && names[of[i] - 1] != 'no') add(name, names[of[i] - 1])
	for (let {name, of} of quantities) if (isFinite(of[i])) add(name, +of[i].toPrecision(3))
	let near = open().map(({view}) => neighbours.find(one => one.name == view.features))
	let lists = [...new Set(near)].flatMap(one => one ? {...one, found: [...one.of.slice(i*one.k, i*one.k + one.k)]} : [])
	let shared = lists[1] && lists[0].found.filter(other => lists[1].found.includes(other))
	card.replaceChildren(thumbnail(i, 288), make('p', bdi(ids[i])), make('dl', ...lines), ...lists.flatMap(({name, found}) => [
		make('p', 'Nearest by features of ', bdi(name)),
		make('div', ...found.map(other => assign(make(shared?.includes(other) ? 'button.shared' : 'button', thumbnail(other, 88)), {title: ids[other], onclick: () => pin(other)}))),
	]), lists[0] ? make('p.key', shared ? `${shared.length} of ${lists[0].k} shared` : '') : ui.nobody)
}
let hover = face => face == hovered || (hovered = face, showCard())
function pin(face) {
	[pinned, hovered] = [face, -1]
	showCard()
	say(face < 0 ? '' : [ids[face], classes[codes[face]].name, picked[face] && 'selected'].filter(Boolean).join(', '))
	for (let pane of open()) {
		let p = placesOf(pane)[face]
		if (p && !isIn(pane, toScreen(pane, p), -30*dpr)) look(pane, p.x, p.y, pane.z)
	}
	changed()
}

// -- Moving about
function look(pane, x, y, z) {
	assign(pane, {x: +clamp(x, -.5, 1.5).toFixed(6), y: +clamp(y, -.5, 1.5).toFixed(6), z: +clamp(z, .4, 400).toFixed(3)})
	pane.scale = pane.z*.9*min(pane.w, pane.h)
	changed()
}
function zoom(by, pane = active, at = pane.mid) {
	let {x, y} = toMap(pane, at), z = clamp(pane.z*by, .4, 400), less = pane.z/z
	look(pane, x + (pane.x - x)*less, y + (pane.y - y)*less, z)
}
function least(pane, measure, limit = 9e9) {
	let best = -1
	for (let i of there(pane)) {
		let value = measure(pane.seen[i])
		if (value < limit) [best, limit] = [i, value]
	}
	return best
}
let paneAt = point => open().find(pane => isIn(pane, point, 0)) || active
let pick = (pane, point, reach) => pane.drawn.findLast(i => apart(pane.seen[i], point) <= pane.side/2)
	?? least(pane, p => away(p, point), reach)
// To the nearest face
function walk(dx, dy) {
	let from = active.seen[pinned] || active.mid, found = least(active, p => {
		let x = p.x - from.x, y = p.y - from.y, along = x*dx + y*dy, aside = abs(x*dy) + abs(y*dx)
		return along > 0 && aside <= along ? along + 2*aside : 9e9
	})
	if (found >= 0) pin(found)
}
let listen = (of, events, act) => events.split(' ').forEach(event => of.addEventListener(event, act))
let pointers = new Map(), pointOf = event => ({x: event.offsetX*dpr, y: event.offsetY*dpr})
// Middle of fingers, how far apart.
function grip() {
	let [a, b = a] = pointers.values()
	return {x: (a.x + b.x)/2, y: (a.y + b.y)/2, wide: away(a, b) || 1}
}
listen(canvas, 'pointerdown', event => {
	if (event.button) return
	let point = pointOf(event)
	canvas.setPointerCapture(event.pointerId)
	active = paneAt(point)
	pointers.set(event.pointerId, point)
	let press = drag = {pane: active, point, isMoved: pointers.size > 1, ring: !ui.move.checked && pointers.size < 2 && [point]}
	if (event.pointerType == 'touch') setTimeout(() => drag == press && !press.isMoved && (press.ring ||= (say('Lasso'), [point])), 600)
})
listen(canvas, 'pointermove', event => {
	let point = pointOf(event)
	if (!drag) return event.pointerType != 'touch' && hover(pick(paneAt(point), point, 10*dpr))
	let {pane, point: start, ring} = drag, was = grip()
	drag.isMoved ||= away(point, start) >= 4*dpr
	if (!drag.isMoved) return
	pointers.set(event.pointerId, point)
	let is = grip()
	if (!ring) {
		hovered = -1
		zoom(is.wide/was.wide, pane, was)
		look(pane, pane.x - (is.x - was.x)/pane.scale, pane.y + (is.y - was.y)/pane.scale, pane.z)
	} else if (ui.box.checked) drag.ring = [start, {x: point.x, y: start.y}, point, {x: start.x, y: point.y}]
	else if (away(point, ring.at(-1)) >= 4*dpr) ring.push(point)
	redraw()
})
listen(canvas, 'pointerup pointercancel', event => {
	if (!pointers.delete(event.pointerId) || !drag || pointers.size) return
	let {pane, ring, isMoved} = drag, face = pick(pane, pointOf(event), 12*dpr), how = howOf(event)
	drag = null
	redraw()
	if (event.type == 'pointercancel') return
	if (isMoved && ring?.length > 2) choose(how, 'p', pane.view.key, main.view.key, ui.spread.checked, simplified(ring).map(corner => {
		let {x, y} = toMap(pane, corner)
		return `${x.toFixed(5)}_${y.toFixed(5)}`
	}).join(' '))
	else if (!isMoved && face >= 0 && how != 'n') choose(how, 'f', face)
	else if (!isMoved) pin(face)
})
listen(canvas, 'pointerleave', () => drag || hover(-1))
// A wheel that scrolls the page goes on so.
let scrolled = 0
listen(window, 'scroll', event => scrolled = event.timeStamp)
listen(canvas, 'wheel', event => {
	if (event.timeStamp < scrolled + 250) return
	event.preventDefault()
	let point = pointOf(event)
	zoom(Math.exp(clamp(event.deltaY, -300, 300)*(event.ctrlKey ? -.01 : -.002)), paneAt(point), point)
})
// A key presses the control that names it.
listen(canvas, 'keydown', event => {
	let key = {0: 'Home', ' ': 'Space'}[event.key] || event.key, control = app.querySelector(`[aria-keyshortcuts="${CSS.escape(key)}" i]`)
	if (event.ctrlKey || event.metaKey || !control) return
	event.preventDefault()
	control[control == ui.search ? 'focus' : 'click']()
})

// -- Search, saving, address
function search(isNext) {
	let wanted = ui.search.value.trim(), found = rows.filter(i => wanted && ids[i].includes(wanted)).sort((a, b) => ids[a] > ids[b] || -1)
	if (found.length) pin(isNext && found[found.indexOf(pinned) + 1] || found[0])
	say(wanted && `${count(found.length)} found`)
}
function save() {
	if (!ui.name.checkValidity()) return
	let name = ui.name.value, quoted = text => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
	let lines = ids.map((id, i) => `${quoted(id)},${main.view.at[i] && shown[i] | picked[i] ? picked[i] : ''},${data.mark[1]}\n`).sort()
	assign(make('a'), {href: URL.createObjectURL(new Blob([`image_id,${name},${data.mark[0]}\n`, ...lines])), download: `${name}.csv`}).click()
}
let written, writer = 0
function changed() {
	redraw()
	writer ||= setTimeout(() => {
		writer = 0
		try {
			if (written != address()) history.replaceState(null, '', written = address())
		} catch {}
	}, 400)
}
function address() {
	let fields = new URLSearchParams(new FormData(ui.form))
	for (let pane of open()) for (let key of pane.keys) fields.set(key, pane[key.toLowerCase()])
	fields.set('f', ids[pinned] ?? '')
	for (let step of steps) fields.append('s', step.join('\n'))
	return `#explorer;${fields}`.replaceAll('&', ';')
}
function restore() {
	if (!location.hash.startsWith('#explorer;')) return
	let fields = new URLSearchParams(location.hash.replaceAll(';', '&')), get = key => fields.get(key) || ''
	for (let field of ui.form.elements) {
		field.checked = fields.has(field.name)
		field.value = get(field.name)
		if (field.selectedIndex < 0) field.selectedIndex = 0
	}
	;[pinned, hovered] = [ids.indexOf(get('f')), -1]
	refresh()
	for (let pane of panes) look(pane, ...[...pane.keys].map((key, nth) => parseFloat(get(key)) || [.5, .5, 1][nth]))
	clear()
	for (let step of fields.getAll('s').slice(0, 99)) apply(step.split('\n'))
	refresh()
	app.parentElement.scrollIntoView()
}
function refresh() {
	for (let pane of panes) pane.view = viewOf(pane.field.value)
	ui.misread.textContent = ''
	try {
		shown = holding(ui.show.value)
		condition = ui.show.value
	} catch (wrong) {
		ui.misread.textContent = `Column ${wrong[0]}: ${wrong[1]}.`
	}
	canvas.ariaLabel = `${open().map(pane => pane.view.name)}: ${count(N)} faces`
	active = main
	measure()
	recolour()
	tell()
	showCard()
	draw()
}
for (let {field} of panes) field.append(...views.map(({name, key}) => new Option(name, key)))
for (let {name, names} of attributes) ui.words.append(...names.map(value => new Option('', `"${name}" = "${value}"`)))
let acts = {
	save,
	in: () => zoom(1.5),
	out: () => zoom(1/1.5),
	whole: () => panes.forEach(pane => look(pane, .5, .5, 1)),
	left: () => walk(-1, 0),
	right: () => walk(1, 0),
	up: () => walk(0, -1),
	down: () => walk(0, 1),
	other: () => active = open().find(pane => pane != active) || active,
	open: () => pinned >= 0 && card.focus(),
	toggle: () => pinned >= 0 && choose(picked[pinned] ? 't' : 'a', 'f', pinned),
	all: event => choose(howOf(event), 'q', main.view.key),
	clear: () => (clear(), tell()),
	back: () => drag ? drag = null : pinned < 0 ? ui.move.click() : pin(-1),
}
listen(app, 'click', event => acts[event.target.id.slice(9)]?.(event))
listen(app, 'change', event => event.target.form && refresh())
listen(ui.show, 'input', refresh)
listen(ui.search, 'input keydown', ({key}) => (!key || key == 'Enter') && search(key))
listen(window, 'hashchange', restore)
for (let query of ['forced-colors: active', 'prefers-color-scheme: dark']) listen(matchMedia(`(${query})`), 'change', recolour)

app.hidden = false
if (!N || !views[0]) return note('mapless')
ui.body.hidden = false
new ResizeObserver(measure).observe(canvas)
refresh()
written = address()
restore()
onload = () => bring(limit = 16)
// For tests
window.visavis = Object.freeze({state: () => ({
	pinned, isReady: !isDue && !coming.size, steps,
	picked, shown, panes: open().map(pane => ({...pane, at: placesOf(pane)})),
})})
})()
