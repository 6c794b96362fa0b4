/** How long a task may take: `workClockTimeRef` in seconds; its final deadline is ten times that after the match. */
export type Category = { name: string; description: string; workClockTimeRef: bigint }

/** Numbered from zero in this order. The description `""` (two quote characters) is what existing tools compare with. */
export const categories: Category[] = [
  { name: 'XS', description: '""', workClockTimeRef: 300n },
  { name: 'S', description: '""', workClockTimeRef: 1200n },
  { name: 'M', description: '""', workClockTimeRef: 3600n },
  { name: 'L', description: '""', workClockTimeRef: 10_800n },
  { name: 'XL', description: '""', workClockTimeRef: 36_000n },
]
