/** What each figure of a drill means. */
export const MEANINGS: readonly (readonly [string, string])[] = [
  [
    'Notice',
    'From the last byte that came to knowing that the connection is over. A close or a reset says so at once; where nothing says so, it is the lane’s patience.',
  ],
  [
    'Recover',
    'From then to the first word that had not come before. It includes the wait before coming back, which SSE’s retry sets.',
  ],
  ['Silence', 'The longest time without a new word: what a user sees.'],
  [
    'Lost',
    'Words that the Lab meant and that never came. Every word is a number of its own, so none is guessed.',
  ],
  ['Repeated', 'Words that came again. A client that simply joins texts shows them twice.'],
  ['Comebacks', 'Requests after the first.'],
  [
    'Asked anew',
    'Of those, requests for a reply that is made, and charged for, again. A POST is never sent again.',
  ],
  ['Bytes twice', 'Events and requests that crossed the wire although they had crossed it before.'],
];

/** How the memory drill measures. */
export const METHOD: readonly (readonly [string, string])[] = [
  [
    'Two processes',
    'The Lab and the client are processes of their own, new ones for each kind, way and round. One connection of the kind comes and goes before anything is counted.',
  ],
  [
    'Per connection',
    'The slope of a straight line through all points (least squares), with its 95 % interval by Student’s t.',
  ],
  ['Without any', 'Where that line begins: what the process takes with no connection at all.'],
  ['Memory', 'What the system calls resident. What the kernel keeps for a socket is in neither figure.'],
  [
    'CPU',
    'Time on a processor, in ms for each second, counted in ticks of about 10 ms. 10 ms/s is 1 % of one processor.',
  ],
  [
    'The client',
    'Weir’s own transport, with its taps and buffers; another client costs other sums. A streaming connection’s share of the Lab includes the reply it has made up.',
  ],
];
