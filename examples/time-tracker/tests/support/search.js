// Returns the paths by which a text is reached from the global object, and those of the document and
// its storage as whole texts.
const text = [...arguments[0]].reverse().join('')
const places = []
const seen = new Set()
const waiting = [['window', window], ['html', document.documentElement.outerHTML]]

for (const [name, storage] of [['local', localStorage], ['session', sessionStorage]]) {
  waiting.push([name, JSON.stringify({ ...storage })])
}
while (waiting.length > 0) {
  const [path, value] = waiting.pop()
  if (typeof value === 'string') {
    if (value.includes(text)) places.push(path)
    continue
  }
  if (value === null || !['function', 'object'].includes(typeof value) || seen.has(value)) continue
  seen.add(value)
  if (value instanceof Map || value instanceof Set) {
    for (const item of value.entries()) waiting.push([`${path}.entry`, item])
  }
  const names = new Set(Reflect.ownKeys(value))
  for (const name in value) names.add(name)
  for (const name of names) {
    try {
      waiting.push([`${path}.${String(name)}`, value[name]])
    } catch {
      // Some can't be read from here, and so by no script of the page.
    }
  }
}
return places
