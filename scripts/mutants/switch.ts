// The Solidity library that an instrumented contract asks, at every site, which mutant it is to be.

import { isComparison } from './operators.ts'

/** Where the number of the active mutant lies: it is the length of this address's code. No code: the original. */
export const SWITCH = '0x00000000000000000000000000000000005ea1ed'

/** Instead of a mutant: every site that is passed is reported, to Hardhat's collector of coverage. */
export const RECORDING = 1

/** Reported for a comparison together with the number of a mutant: that one would have come to another answer. */
export const OTHERWISE = 1_000_000

/** The number of the first site. */
export const FIRST = 2

/** The source name of the library in the instrumented project. */
export const SWITCH_SOURCE = 'contracts/Mutation.sol'

/** The functions that the sites of a project need, by name: each operation once for all sites. */
export type Operations = Map<string, string>

type Binary = { operator: string; mutants: string[]; type: string; unchecked: boolean }

/** The name of the function that does `operator` to two values of `type`, or one of its mutants. */
export function binaryOperation(operations: Operations, { operator, mutants, type, unchecked }: Binary): string {
  const compares = isComparison(operator)
  const result = compares ? 'bool' : type
  const right = ['<<', '>>', '**'].includes(operator) ? 'uint256' : type
  const name = `${words[operator]}_${type}${unchecked ? '_unchecked' : ''}`
  const cases = mutants.map((mutant, index) => `if (m == n + ${index}) return a ${mutant} b;`)
  const others = mutants.map((mutant, index) => `compare(n + ${index}, (a ${operator} b) != (a ${mutant} b));`)
  const recording = compares ? `if (m == ${RECORDING}) { ${others.join(' ')} } ` : ''
  const body = `uint256 m = number(n); ${recording}${cases.join(' ')} return a ${operator} b;`
  const head = `function ${name}(uint256 n, ${type} a, ${right} b) internal pure returns (${result})`
  operations.set(name, `${head} { ${unchecked ? `unchecked { ${body} }` : body} }`)
  return name
}

/** The name of the function that flips all bits of a value of `type`, or none. */
export function complement(operations: Operations, type: string): string {
  const name = `complement_${type}`
  const head = `function ${name}(uint256 n, ${type} a) internal pure returns (${type})`
  operations.set(name, `${head} { return active(n) ? a : ~a; }`)
  return name
}

const words: Record<string, string> = {
  '<': 'less',
  '<=': 'atMost',
  '>': 'more',
  '>=': 'atLeast',
  '==': 'equal',
  '!=': 'unequal',
  '+': 'plus',
  '-': 'minus',
  '*': 'times',
  '/': 'over',
  '%': 'modulo',
  '**': 'power',
  '<<': 'left',
  '>>': 'right',
  '&': 'and',
  '|': 'or',
  '^': 'xor',
}

/** The library. Sites lie in pure functions as well, so the look at the switch is made to look pure. */
export function switchSource(operations: Operations): string {
  return `// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

library Mutation {
    function _number(uint256 n) private view returns (uint256 m) {
        assembly ("memory-safe") {
            m := extcodesize(${SWITCH})
        }
        if (m == ${RECORDING}) _report(n);
    }

    function _report(uint256 n) private view returns (uint256) {
        assembly ("memory-safe") {
            mstore(0, n)
            pop(staticcall(gas(), 0xc0bEc0BEc0BeC0bEC0beC0bEC0bEC0beC0beC0BE, 0, 32, 0, 0))
        }
        return 0;
    }

    function _pure(
        function(uint256) internal view returns (uint256) look
    ) private pure returns (function(uint256) internal pure returns (uint256) same) {
        assembly ("memory-safe") {
            same := look
        }
    }

    /// The number of the active mutant.
    function number(uint256 n) internal pure returns (uint256) {
        return _pure(_number)(n);
    }

    function active(uint256 n) internal pure returns (bool) {
        return number(n) == n;
    }

    /// Reports a mutant that would have come to another answer.
    function compare(uint256 n, bool differs) internal pure {
        if (differs) _pure(_report)(${OTHERWISE} + n);
    }

    /// The opposite of what it is, when the mutant is active.
    function turned(uint256 n, bool a) internal pure returns (bool) {
        return a != active(n);
    }

    ${[...operations.values()].join('\n    ')}
}
`
}
