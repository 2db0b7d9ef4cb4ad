/**
 * The page: it hands the token over once, and never sees it again.
 */

const { invoke } = window.__TAURI__.core
const secrets = window.__TAURI__.strongroom

/** The one secret that the application lets this page name. */
const TOKEN = 'jira_api_token'

const LASTS = {
  until_reboot: ', until this machine restarts',
  until_logout: ', until you log out',
  session: ', until this program ends',
}

const PLACES = {
  'credential-manager': 'the Windows Credential Manager',
  file: 'an encrypted file',
  keychain: 'the macOS Keychain',
  keyutils: 'the kernel’s keyring',
  memory: 'memory',
  'secret-service': 'your desktop’s keyring',
}

const $ = (id) => document.getElementById(id)

let ticking

/** Shows what fits: the settings where something is missing, else the issues. */
async function start() {
  const [settings, status] = await Promise.all([invoke('settings'), secrets.status()])
  if ($('settings').hidden) {
    $('base-url').value = settings.baseUrl
    $('email').value = settings.email
  }
  if (status.error) showProblem(status.error)
  const isThere = status.store !== null && (await secrets.exists(TOKEN))
  describeToken(isThere, status.store)
  if (settings.baseUrl && isThere) await showWork()
  else showSettings(false)
}

function describeToken(isThere, store) {
  const place = store ? PLACES[store.backend] ?? store.backend : null
  const kept = place ? `It is kept in ${place}${LASTS[store.persistence] ?? ''}.` : ''
  $('token').required = !isThere
  $('token').placeholder = isThere ? 'Stored. Leave it empty to keep it.' : ''
  $('token-note').textContent = kept
  $('delete-token').hidden = !isThere
}

function showSettings(canClose) {
  $('work').hidden = true
  $('settings').hidden = false
  $('open-settings').hidden = true
  $('close-settings').hidden = !canClose
  $('forget').hidden = !$('base-url').value
}

async function showWork() {
  $('settings').hidden = true
  $('work').hidden = false
  $('open-settings').hidden = false
  showTimer(await invoke('timer'))
  await loadIssues()
}

async function loadIssues() {
  const issues = await invoke('issues')
  $('issues').replaceChildren(...issues.map(row))
  $('no-issues').hidden = issues.length > 0
}

function row({ key, summary, status }) {
  const row = document.createElement('li')
  const issue = row.appendChild(document.createElement('div'))
  issue.className = 'issue'
  issue.appendChild(document.createElement('p')).textContent = summary
  const note = issue.appendChild(document.createElement('p'))
  note.className = 'note'
  note.textContent = `${key} · ${status}`
  const start = row.appendChild(document.createElement('button'))
  start.type = 'button'
  start.textContent = 'Start'
  start.disabled = !$('timer').hidden
  start.ariaLabel = `Start ${key}`
  start.addEventListener('click', act(async () => {
    showTimer(await invoke('start_timer', { issue: key }))
  }))
  return row
}

function showTimer(timer) {
  clearInterval(ticking)
  $('timer').hidden = !timer
  for (const button of $('issues').querySelectorAll('button')) button.disabled = Boolean(timer)
  if (!timer) return
  $('told').textContent = ''
  $('timer-issue').textContent = timer.issue
  const tick = () => {
    $('timer-time').textContent = duration(Math.max(0, Math.floor(Date.now() / 1000) - timer.started))
  }
  tick()
  ticking = setInterval(tick, 1000)
}

function duration(seconds) {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  const two = (number) => String(number).padStart(2, '0')
  return `${hours}:${two(minutes)}:${two(seconds % 60)}`
}

async function save() {
  const settings = { baseUrl: $('base-url').value, email: $('email').value }
  const token = $('token').value
  $('token').value = ''
  await invoke('save_settings', { settings })
  if (token) await secrets.set(TOKEN, token)
  await start()
}

async function stop() {
  const seconds = await invoke('stop_timer')
  const issue = $('timer-issue').textContent
  showTimer(null)
  $('told').textContent = `Posted ${Math.ceil(seconds / 60)} min to ${issue}.`
}

function showProblem({ message, hint }) {
  $('problem-message').textContent = sentence(message)
  $('problem-hint').textContent = hint
  $('problem').hidden = false
}

const sentence = (clause) => `${clause[0].toUpperCase()}${clause.slice(1)}.`

/** What a button does: what goes wrong is shown, with what to do about it. */
function act(action) {
  return async () => {
    $('problem').hidden = true
    try {
      await action()
    } catch (problem) {
      showProblem(problem.hint === undefined ? { message: String(problem), hint: '' } : problem)
    }
  }
}

/** The same for what can't be undone: the button asks, and does it at the second click. */
function actWhenSure(button, action) {
  const text = button.textContent
  const run = act(action)
  let isSure = false
  const ask = (asks) => {
    isSure = asks
    button.textContent = asks ? `Really ${text.toLowerCase()}?` : text
  }
  button.addEventListener('blur', () => ask(false))
  button.addEventListener('click', () => {
    const wasSure = isSure
    ask(!wasSure)
    if (wasSure) run()
  })
}

async function reopen() {
  $('settings').hidden = true
  await start()
}

const restart = act(start)

$('settings').addEventListener('submit', (event) => {
  event.preventDefault()
  act(save)()
})
$('open-settings').addEventListener('click', () => showSettings(true))
$('close-settings').addEventListener('click', act(reopen))
actWhenSure($('delete-token'), () => secrets.remove(TOKEN))
actWhenSure($('forget'), async () => {
  await invoke('forget_account')
  await reopen()
})
$('reload').addEventListener('click', act(loadIssues))
$('stop').addEventListener('click', act(stop))
$('discard').addEventListener('click', act(async () => {
  await invoke('discard_timer')
  showTimer(null)
}))
$('try-again').addEventListener('click', restart)

// Another window or program may have deleted it.
secrets.onChanged(({ kind }) => {
  if (kind === 'removed') restart()
})
restart()
