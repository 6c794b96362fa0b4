// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Bytes} from "@openzeppelin/contracts/utils/Bytes.sol";

/// @title ResultLib: the bytes of results
/// @notice A zero byte, then of each result: digest, worker, enclave, 16-bit length of the results, results, callback data
/// to the end. The result that many workers agreed on has neither digest nor worker nor enclave: they are kept elsewhere.
library ResultLib {
    /// @notice Of a result with one worker.
    struct Author {
        bytes32 digest;
        address worker;
        address enclaveChallenge;
    }

    struct Result {
        Author author;
        bytes results;
        bytes resultsCallback;
    }

    /// @notice Where the first result of a blob begins.
    uint256 internal constant FIRST = 1;

    uint256 private constant AUTHOR_LENGTH = 72;
    uint256 private constant SIZE_LENGTH = 2;

    /// @notice How many bytes the result of one worker takes.
    function lengthOf(bytes calldata results, bytes calldata resultsCallback) internal pure returns (uint256) {
        return AUTHOR_LENGTH + SIZE_LENGTH + results.length + resultsCallback.length;
    }

    /// @notice Bytes for results of `length` bytes in all.
    function allocate(uint256 length) internal pure returns (bytes memory data) {
        // One word more than is told, for the last word that is written over the end.
        data = new bytes(FIRST + length + 32);
        assembly ("memory-safe") {
            mstore(data, sub(mload(data), 32))
        }
    }

    /// @notice Writes the result of one worker into `data` at `offset`; returns where it ends.
    /// @dev Results whose length does not fit 16 bits make a blob that cannot be written.
    function put(
        bytes memory data,
        uint256 offset,
        Author memory author,
        bytes calldata results,
        bytes calldata resultsCallback
    ) internal pure returns (uint256) {
        assembly ("memory-safe") {
            let cursor := add(add(data, 32), offset)
            mcopy(cursor, author, 32)
            mstore(add(cursor, 32), shl(96, mload(add(author, 32))))
            mstore(add(cursor, 52), shl(96, mload(add(author, 64))))
        }
        return _putBytes(data, offset + AUTHOR_LENGTH, results, resultsCallback);
    }

    /// @notice The bytes of the one result of one worker.
    function encode(
        Author memory author,
        bytes calldata results,
        bytes calldata resultsCallback
    ) internal pure returns (bytes memory data) {
        data = allocate(lengthOf(results, resultsCallback));
        put(data, FIRST, author, results, resultsCallback);
    }

    /// @notice The bytes of the result that many workers agreed on.
    function encodeAgreed(
        bytes calldata results,
        bytes calldata resultsCallback
    ) internal pure returns (bytes memory data) {
        data = allocate(SIZE_LENGTH + results.length + resultsCallback.length);
        _putBytes(data, FIRST, results, resultsCallback);
    }

    /// @notice What `put` wrote into `length` bytes from `offset` on.
    function decode(bytes memory data, uint256 offset, uint256 length) internal pure returns (Result memory result) {
        Author memory author = result.author;
        assembly ("memory-safe") {
            let cursor := add(add(data, 32), offset)
            mcopy(author, cursor, 32)
            mstore(add(author, 32), shr(96, mload(add(cursor, 32))))
            mstore(add(author, 64), shr(96, mload(add(cursor, 52))))
        }
        (result.results, result.resultsCallback) = _takeBytes(data, offset + AUTHOR_LENGTH, offset + length);
    }

    /// @notice What `encodeAgreed` wrote.
    function decodeAgreed(bytes memory data) internal pure returns (Result memory result) {
        (result.results, result.resultsCallback) = _takeBytes(data, FIRST, data.length);
    }

    function _putBytes(
        bytes memory data,
        uint256 offset,
        bytes calldata results,
        bytes calldata resultsCallback
    ) private pure returns (uint256 end) {
        assembly ("memory-safe") {
            let cursor := add(add(data, 32), offset)
            mstore(cursor, shl(240, results.length))
            cursor := add(cursor, SIZE_LENGTH)
            calldatacopy(cursor, results.offset, results.length)
            cursor := add(cursor, results.length)
            calldatacopy(cursor, resultsCallback.offset, resultsCallback.length)
            end := sub(add(cursor, resultsCallback.length), add(data, 32))
        }
    }

    function _takeBytes(
        bytes memory data,
        uint256 offset,
        uint256 end
    ) private pure returns (bytes memory results, bytes memory resultsCallback) {
        uint256 start = offset + SIZE_LENGTH;
        uint256 middle;
        assembly ("memory-safe") {
            middle := add(start, shr(240, mload(add(add(data, 32), offset))))
        }
        return (Bytes.slice(data, start, middle), Bytes.slice(data, middle, end));
    }
}
