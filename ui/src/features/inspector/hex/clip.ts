import { copyText } from '../../../lib/clipboard';
import { count as figure } from '../../../lib/format';
import { IpcError } from '../../../lib/ipc';
import { toast } from '../../../ui/toast.svelte';
import { copyForm, FORM_NAMES, type CopyForm } from './copy';

/** Bytes that one copy may hold. */
export const COPY_MOST = 16 * 1024 * 1024;

/** Copies bytes in a form, and says what came of it. */
export async function copyBytes(load: () => Promise<Uint8Array>, form: CopyForm): Promise<void> {
  try {
    const bytes = await load();
    if (bytes.length === 0) return;
    const what = bytes.length === 1 ? 'one byte' : `${figure(bytes.length)} bytes`;
    if (!(await copyText(copyForm(bytes, form)))) refused();
    else if (bytes.length === COPY_MOST) toast('Copied the first 16 MiB of the selection.');
    else toast(`Copied ${what} as ${FORM_NAMES[form]}.`);
  } catch (error) {
    toast(IpcError.from(error).message, { tone: 'err' });
  }
}

/** Copies a node's JSON path, if it has one. */
export async function copyPath(path: string | undefined): Promise<void> {
  if (!path) return;
  if (await copyText(path)) toast(`Copied ${path}.`);
  else refused();
}

function refused(): void {
  toast('The system refused the clipboard.', { tone: 'err' });
}
