// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title The few cheat codes that our invariant tests need
interface Vm {
    function addr(uint256 key) external pure returns (address account);

    function prank(address sender) external;

    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);

    function warp(uint256 timestamp) external;
}

/// @dev Where every Solidity test runner keeps them.
Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
