/**
 * What a page can ask of tauri-plugin-strongroom. Values go in and, but for `reveal`, don't come out.
 *
 * The application's Rust code says which secrets the page may name and what it may do with each; its
 * capabilities say which of these functions a window may call.
 */

import { invoke } from '@tauri-apps/api/core'
import { listen, type UnlistenFn } from '@tauri-apps/api/event'

/** An error, with which every function here rejects. */
export interface Problem {
  /**
   * A stable token: one of the library's, such as `locked`, `no_backend` or `expired`; `not_allowed` if the application
   * or the window's capabilities don't allow the call, or its arguments are invalid.
   */
  code: string
  /** The error and its causes, as a clause. */
  message: string
  /** The next step, in sentences. */
  hint: string
  /** The token of the cause, if it matters beyond the code. */
  reason: string | null
}

/** A store, and its protection of the secrets. */
export interface Store {
  /** `keychain`, `credential-manager`, `secret-service`, `keyutils`, `file`, `memory` or `plaintext-file`. */
  backend: string
  /** `sealed` is in an encrypted file, whose key is in the backend. */
  layout: 'inline' | 'sealed' | 'entries' | null
  /** The time for which secrets last. */
  persistence: 'permanent' | 'until_reboot' | 'until_logout' | 'session'
  /** The largest secret in bytes; `null` if there is no limit. */
  max_secret_bytes: number | null
  /** Any bytes are returned unchanged, and not only text. */
  binary_safe: boolean
  /** The secrets of an application can be listed. */
  can_list: boolean
  /** The store may ask the user. */
  may_prompt: boolean
  /** Values are encrypted on their way to the keyring; `null` if they cross no connection. */
  session_encrypted: boolean | null
  /** Other programs of the user may read secrets without a prompt. */
  read_by_user_programs: boolean
  /** Containers under the same user id may read secrets. */
  read_by_containers: boolean
  /** Secrets are in a file without encryption. */
  plaintext: boolean
  /** A write is acknowledged seconds before it is on disk. */
  writes_late: boolean
  /** Replaced and deleted values stay in the store's own history. */
  keeps_deleted: boolean
}

/** A fact about the store that the user has to know. */
export interface Warning {
  /** A stable token, such as `not_persistent` or `session_not_encrypted`. */
  code: string
  /** The fact, as a clause. */
  message: string
}

/** The store of the secrets, if they can be stored on this machine. */
export interface Status {
  /** The version of the form. */
  version: number
  /** The store; `null` if no store can be used. */
  store: Store | null
  warnings: Warning[]
  /** The reason for which no store, or only the fallback, can be used. */
  error: Problem | null
}

/** A secret without its value. Times are ISO 8601. */
export interface Secret {
  name: string
  /** `null` for all secrets that the page may name. */
  target: string | null
  provider: string | null
  scope: string | null
  created_at: string | null
  updated_at: string | null
  expires_at: string | null
  expired: boolean
}

/** Secrets, and their store. */
export interface SecretList {
  /** The version of the form. */
  version: number
  secrets: Secret[]
  store: Store
  warnings: Warning[]
}

/** The metadata of a secret that is stored. */
export interface Metadata {
  /** The issuer. */
  provider?: string
  /** The permissions, in the provider's words. */
  scope?: string
  /** The first moment at which it is not valid any more, as ISO 8601. */
  expires_at?: string
}

/** A change to a secret. */
export interface Changed {
  name: string
  target: string | null
  kind: 'added' | 'updated' | 'removed'
}

/** Says whether secrets can be kept here. It does not fail for want of a store: see `error`. */
export const status = (): Promise<Status> => call('status')

/** Says whether a secret is there, expired or not. */
export const exists = (name: string): Promise<boolean> => call('exists', { name })

/** Returns a secret without its value; `null` if there is none. */
export const describe = (name: string): Promise<Secret | null> => call('describe', { name })

/** Returns all existing secrets that the page may name, without their values, and their store. */
export const list = (): Promise<SecretList> => call('list')

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
  return { code: 'not_allowed', message: String(error), hint, reason: null }
}
