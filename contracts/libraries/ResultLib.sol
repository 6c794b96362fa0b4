// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Bytes} from "@openzeppelin/contracts/utils/Bytes.sol";

/// @title ResultLib: the bytes of the result of a task
/// @notice A zero byte, digest, worker, enclave, 16-bit length of the results, results, callback data to the end.
library ResultLib {
    struct Result {
        bytes32 digest;
        address worker;
        address enclaveChallenge;
        bytes results;
        bytes resultsCallback;
    }

    uint256 private constant HEAD_LENGTH = 75;

    /// @dev Results whose length does not fit 16 bits make a blob that cannot be written.
    function encode(
        bytes32 digest,
        address worker,
        address enclaveChallenge,
        bytes calldata results,
        bytes calldata resultsCallback
    ) internal pure returns (bytes memory) {
        uint16 length = uint16(results.length);
        return abi.encodePacked(bytes1(0), digest, worker, enclaveChallenge, length, results, resultsCallback);
    }

    function decode(bytes memory data) internal pure returns (Result memory result) {
        uint256 length;
        assembly ("memory-safe") {
            mstore(result, mload(add(data, 33)))
            mstore(add(result, 32), shr(96, mload(add(data, 65))))
            mstore(add(result, 64), shr(96, mload(add(data, 85))))
            length := shr(240, mload(add(data, 105)))
        }
        result.results = Bytes.slice(data, HEAD_LENGTH, HEAD_LENGTH + length);
        result.resultsCallback = Bytes.slice(data, HEAD_LENGTH + length);
    }
}
