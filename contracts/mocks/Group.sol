// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Group
/// @notice Answers as an ERC-734 key holder which keys it holds for which purpose.
contract Group {
    mapping(bytes32 key => mapping(uint256 purpose => bool)) public keyHasPurpose;

    function add(address member, uint256 purpose) external {
        keyHasPurpose[_key(member)][purpose] = true;
    }

    function remove(address member, uint256 purpose) external {
        keyHasPurpose[_key(member)][purpose] = false;
    }

    function _key(address member) private pure returns (bytes32) {
        return bytes32(uint256(uint160(member)));
    }
}
