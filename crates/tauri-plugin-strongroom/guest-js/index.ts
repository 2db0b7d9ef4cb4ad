/**
 * What a page can ask of tauri-plugin-strongroom. Values go in and, but for `reveal`, don't come out.
 *
 * The application's Rust code says which secrets the page may name and what it may do with each; its
 * capabilities say which of these functions a window may call.
 */

import { invoke } from '@tauri-apps/api/core'
import { listen, type UnlistenFn } from '@tauri-apps/api/event'

/** What every function here rejects with. */
export interface Problem {
  /**
   * A stable token: one of the library's, such as `locked`, `no_backend` or `expired`; `not_allowed` where the
   * application doesn't allow it; `not_permitted` where the window's capabilities don't, or the arguments make no sense.
   */
  code: string
  /** What happened, as a clause. */
  message: string
  /** What to do next, in a sentence. */
  hint: string
}

/** Where secrets are kept. */
export interface Storage {
  /** `keychain`, `credential-manager`, `secret-service`, `keyutils`, `file`, `memory` or `plaintext-file`. */
  backend: string
  /** `sealed` is in an encrypted file, whose key is in the backend. */
  layout: 'inline' | 'sealed' | 'entries'
  /** Whether they stay over a restart of the machine. */
  persistent: boolean
  /** How long they stay. */
  persistence: 'permanent' | 'until_reboot' | 'until_logout' | 'session'
  /** Whether values are encrypted on their way to the keyring; `null` where they cross no connection. */
  sessionEncrypted: boolean | null
  /** What weakens their protection, for the user to know. */
  warnings: Warning[]
}

/** A fact about where secrets are kept that the user has to know. */
export interface Warning {
  /** A stable token, such as `not_persistent` or `session_not_encrypted`. */
  code: string
  /** The fact, as a clause. */
  message: string
}

/** Whether secrets can be kept here. */
export interface Status {
  /** Where they are kept; `null` where no store can be used. */
  storage: Storage | null
  /** Why none can be used, or why not the one that lasts. */
  problem: Problem | null
}

/** What is known about a secret beside its value. Times are ISO 8601. */
export interface Description {
  name: string
  provider: string | null
  scope: string | null
  createdAt: string | null
  updatedAt: string | null
  expiresAt: string | null
  expired: boolean
  storage: Storage
}

/** What to remember about a secret that is stored. */
export interface Metadata {
  /** Who issued it. */
  provider?: string
  /** What it is good for, in the provider's words. */
  scope?: string
  /** The first moment at which it is not valid any more, as ISO 8601. */
  expiresAt?: string
}

/** A secret that changed. */
export interface Changed {
  name: string
  kind: 'added' | 'updated' | 'removed'
}

/** Says whether secrets can be kept here. It does not fail for want of a store: see `problem`. */
export const status = (): Promise<Status> => call('status')

/** Says whether a secret is there, expired or not. */
export const exists = (name: string): Promise<boolean> => call('exists', { name })

/** Says what is known about a secret beside its value; `null` if there is none. */
export const describe = (name: string): Promise<Description | null> => call('describe', { name })

/** Describes all secrets that are there and that the page may name. */
export const list = (): Promise<Description[]> => call('list')

/** Stores a secret, over the old one and what was known about it. Clear the field that it came from. */
export const set = (name: string, value: string, metadata?: Metadata): Promise<void> =>
  call('set', { name, value, metadata })

/** Deletes a secret and says whether it was there. */
export const remove = (name: string): Promise<boolean> => call('delete', { name })

/** Shows a secret's value; `null` if there is none. What this page can read, so can every script in it. */
export const reveal = (name: string): Promise<string | null> => call('reveal', { name })

/** Tells of changes to secrets that the page may name, by name, from the first use of the store on. */
export const onChanged = (handler: (changed: Changed) => void): Promise<UnlistenFn> =>
  listen<Changed>('strongroom://changed', (event) => handler(event.payload))

async function call<T>(command: string, args: Record<string, unknown> = {}): Promise<T> {
  try {
    return await invoke<T>(`plugin:strongroom|${command}`, args)
  } catch (error) {
    throw asProblem(error)
  }
}

/** Tauri's own refusals are plain text. */
function asProblem(error: unknown): Problem {
  if (typeof error === 'object' && error !== null && 'code' in error) return error as Problem
  const hint = 'See the capabilities of this window, and the arguments of the call.'
  return { code: 'not_permitted', message: String(error), hint }
}
