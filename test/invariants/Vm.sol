// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title The few cheat codes that our invariant tests need
interface Vm {
    function addr(uint256 key) external pure returns (address account);

    function deal(address account, uint256 value) external;

    function envOr(string calldata name, string calldata otherwise) external view returns (string memory);

    function etch(address account, bytes calldata code) external;

    function getCode(string calldata artifact) external view returns (bytes memory creationCode);

    function getNonce(address account) external view returns (uint64 nonce);

    function prank(address sender) external;

    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);

    function toString(bytes calldata value) external pure returns (string memory text);

    function warp(uint256 timestamp) external;

    function writeLine(string calldata path, string calldata line) external;
}

/// @dev Where every Solidity test runner keeps them.
Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
