// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title MeddlingAnswerer
/// @notice Answers any question (ERC-1271, ERC-734) with the word that is hoped for, but only if none of the attempts that
/// it makes meanwhile succeeds: asked by a static call, it can tell in no other way.
contract MeddlingAnswerer {
    struct Attempt {
        address target;
        bytes data;
    }

    /// @dev What breaks the rules of a static call burns all the gas it has.
    uint256 private constant ATTEMPT_GAS = 400_000;

    bytes32 public immutable word;

    Attempt[] private _attempts;

    constructor(bytes32 word_) {
        word = word_;
    }

    function prepare(Attempt[] calldata attempts) external {
        delete _attempts;
        for (uint256 i = 0; i < attempts.length; ++i) {
            _attempts.push(attempts[i]);
        }
    }

    fallback(bytes calldata) external returns (bytes memory) {
        for (uint256 i = 0; i < _attempts.length; ++i) {
            (bool success, ) = _attempts[i].target.call{gas: ATTEMPT_GAS}(_attempts[i].data);
            if (success) return abi.encode(bytes32(0));
        }
        return abi.encode(word);
    }
}
