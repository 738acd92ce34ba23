/** How many certificates a PEM text holds, and whether anything stands in it that is none. */
export function certificates(pem: string): { count: number; whole: boolean } {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  const begun = pem.match(/-----BEGIN [A-Z ]*-----/g)?.length ?? 0;
  return { count: found.length, whole: begun === found.length && (found.length > 0 || pem.trim() === '') };
}
