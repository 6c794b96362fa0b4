// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title ContractWallet
/// @notice An account that is a contract: approves what its holder signed (ERC-1271) and calls what its holder asks for.
contract ContractWallet is IERC1271 {
    error CallerIsNotTheHolder(address caller);

    address public immutable holder;

    constructor(address holder_) {
        holder = holder_;
    }

    function execute(address target, bytes calldata data) external returns (bytes memory) {
        require(msg.sender == holder, CallerIsNotTheHolder(msg.sender));
        return Address.functionCall(target, data);
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (address signer, , ) = ECDSA.tryRecover(hash, signature);
        return signer == holder ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
